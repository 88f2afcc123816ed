#include "broker-model/kafka/groups/group_coordinator.hpp"

#include "broker-model/events.hpp"
#include "broker-model/kafka/broker/coordinator_log.hpp"

#include <algorithm>

// Where groups are, how a new coordinator gets to know them, and their offsets.

namespace crier::broker::kafka {

GroupCoordinator::Shard* GroupCoordinator::find_shard(std::string_view group, ErrorCode& error) {
    return shards_.find(home_.cluster.offsets_partition(group), error);
}

Group* GroupCoordinator::find_group(Shard& shard, std::string_view group) {
    const auto found = shard.groups.find(group);
    return found == shard.groups.end() ? nullptr : &found->second;
}

void GroupCoordinator::leads(const Replica& replica) {
    drop(replica.id);
    shards_.open(home_, replica, [this](Shard& shard) { load(shard); });
}

void GroupCoordinator::load(Shard& shard) {
    const Replica& replica = *replicas_->find(shard.partition);
    for (const StoredBatch& batch : replica.log->batches()) {
        for (const Record& record : batch.batch->records) {
            restore(shard, record);
        }
    }
    apply_offsets(shard, replica.high_watermark);
    shard.is_loaded = true;
    shard.cleanup = home_.now() + home_.cluster.options().offsets_retention_check_interval;
    tick();
}

// A name is a group of one protocol at a time.
void GroupCoordinator::restore(Shard& shard, const Record& record) {
    if (std::optional<GroupRecord> group = read_group_record(record)) {
        shard.groups.erase(group->group);
        if (record.is_tombstone) return;
        shard.consumer_groups.erase(group->group);
        restore(shard, std::move(*group), record.timestamp);
    } else if (std::optional<ConsumerGroup> other = read_consumer_group_record(record)) {
        shard.consumer_groups.erase(other->name);
        if (record.is_tombstone) return;
        shard.groups.erase(other->name);
        restore(shard, std::move(*other));
    } else if (std::optional<ShareGroup> share = read_share_group_record(record)) {
        for (auto& [id, member] : share->members)
            member.session_end = home_.now() + home_.cluster.options().share.session_timeout;
        const std::string name = share->name;
        shard.share_groups.insert_or_assign(name, std::move(*share));
    } else if (std::optional<ShareStateRecord> kept = read_share_state_record(record)) {
        const std::pair<std::string, PartitionId> name(kept->group, kept->partition);
        shard.share_states.insert_or_assign(name, std::move(*kept));
    }
}

void GroupCoordinator::restore(Shard& shard, ConsumerGroup group) {
    for (auto& [id, member] : group.members)
        touch(member);
    const std::string name = group.name;
    shard.consumer_groups.emplace(name, std::move(group));
}

// Members go on in the same generation; each gets a whole session to be heard of.
void GroupCoordinator::restore(Shard& shard, GroupRecord record, std::int64_t written_at) {
    Group group;
    group.empty_since = written_at;
    group.name = record.group;
    group.generation = record.generation;
    group.protocol = record.protocol;
    group.leader = record.leader;
    group.phase = record.members.empty() ? Group::Phase::empty : Group::Phase::stable;
    for (MemberRecord& written : record.members) {
        GroupMemberState member;
        member.session_end = home_.now() + written.session_timeout;
        member.has_synced = true;
        member.record = std::move(written);
        const std::string id = member.record.member_id;
        group.members.emplace(id, std::move(member));
    }
    shard.groups.insert_or_assign(record.group, std::move(group));
}

void GroupCoordinator::watermark_moved(const Replica& replica) {
    Shard* const shard = shards_.find(replica.id, replica.state.leader_epoch);
    if (shard != nullptr && shard->is_loaded) apply_offsets(*shard, replica.high_watermark);
}

void GroupCoordinator::apply_offsets(Shard& shard, Offset end) {
    const PartitionLog& log = *replicas_->find(shard.partition)->log;
    for (std::size_t at = log.find(shard.applied); at < log.batches().size(); ++at) {
        const StoredBatch& batch = log.batches()[at];
        if (batch.end_offset() > end) break;
        shard.offsets.apply(batch);
    }
    shard.applied = std::max(shard.applied, end);
}

void GroupCoordinator::resigned(const Replica& replica) {
    drop(replica.id);
}

void GroupCoordinator::drop(PartitionId partition) {
    const std::unique_ptr<Shard> shard = shards_.take(partition);
    if (!shard) return;
    for (auto& [name, group] : shard->groups)
        refuse_waiting(group, ErrorCode::not_coordinator);
}

void GroupCoordinator::refuse_waiting(Group& group, ErrorCode error) {
    for (auto& [id, member] : group.members) {
        JoinGroupAnswer no_join;
        no_join.error = error;
        no_join.member_id = id;
        member.join(std::move(no_join));
        SyncGroupAnswer no_sync;
        no_sync.error = error;
        member.sync(std::move(no_sync));
    }
}

ErrorCode GroupCoordinator::check_commit(Shard& shard, const OffsetCommitRequest& request,
                                         bool in_transaction) {
    if (ConsumerGroup* const other = find_consumer_group(shard, request.group)) {
        return check_commit(*other, request);
    }
    Group* const group = find_group(shard, request.group);
    const bool is_simple = request.generation < 0;
    if (in_transaction && is_simple && request.member_id.empty()) return ErrorCode::none;
    if (group == nullptr) return is_simple ? ErrorCode::none : ErrorCode::illegal_generation;
    if (is_simple && group->phase == Group::Phase::empty) return ErrorCode::none;
    const ErrorCode stranger = group->check_member(request.member_id, request.instance_id);
    if (stranger != ErrorCode::none) return stranger;
    if (request.generation != group->generation) return ErrorCode::illegal_generation;
    if (group->phase == Group::Phase::completing && !in_transaction) {
        return ErrorCode::rebalance_in_progress;
    }
    touch(*group->find(request.member_id));
    return ErrorCode::none;
}

void GroupCoordinator::commit(OffsetCommitRequest request, sim::Reply<OffsetCommitAnswer> reply) {
    write_commit(request, {}, {}, std::move(reply));
}

void GroupCoordinator::commit(const TxnOffsetCommitRequest& request, const Admission& admission,
                              sim::Reply<OffsetCommitAnswer> reply) {
    const ProducerStamp producer{request.producer, request.epoch, -1, true, request.transaction};
    write_commit(request.commit, producer, admission, std::move(reply));
}

void GroupCoordinator::write_commit(const OffsetCommitRequest& request,
                                    const ProducerStamp& producer, const Admission& admission,
                                    sim::Reply<OffsetCommitAnswer> reply) {
    OffsetCommitAnswer answer;
    Shard* const shard = find_shard(request.group, answer.error);
    if (shard == nullptr) return reply(answer);
    answer.error = check_commit(*shard, request, producer.is_transactional);
    if (answer.error != ErrorCode::none) {
        tell_refused(request, answer.error);
        return reply(answer);
    }
    std::vector<Record> records;
    records.reserve(request.offsets.size());
    ErrorCode refusal = ErrorCode::none; // of some; the others are taken
    OffsetCommitRequest refused;
    refused.group = request.group;
    for (const PartitionOffset& offset : request.offsets) {
        const std::uint32_t topic_id = topic_id_of(offset.partition);
        const ErrorCode error = check_offset(*shard, request, offset, topic_id);
        if (error != ErrorCode::none) {
            if (refusal == ErrorCode::none) refusal = error;
            refused.offsets.push_back(offset);
            continue;
        }
        OffsetRecord written;
        written.group = request.group;
        written.partition = offset.partition;
        written.offset = offset.offset;
        written.generation = request.generation;
        written.metadata = offset.metadata;
        written.leader_epoch = offset.leader_epoch;
        written.topic_id = topic_id;
        records.push_back(write_record(written));
    }
    answer.error = refusal;
    if (refusal != ErrorCode::none) tell_refused(refused, refusal);
    if (records.empty()) return reply(answer);
    auto held = std::make_shared<sim::Reply<OffsetCommitAnswer>>(std::move(reply));
    const Writing writing{shard->partition, make_batch(home_, std::move(records)), producer,
                          admission};
    replicas_->append(
        writing, home_.cluster.options().offsets_commit_timeout, [held, refusal](ErrorCode error) {
            OffsetCommitAnswer done;
            done.error = error == ErrorCode::none ? refusal : as_coordinator_error(error);
            done.is_partial = error == ErrorCode::none && refusal != ErrorCode::none;
            (*held)(done);
        });
}

std::uint32_t GroupCoordinator::topic_id_of(PartitionId partition) const {
    const std::vector<PartitionState>& known = replicas_->metadata()->partitions;
    return partition < known.size() ? known[partition].topic_id : 0;
}

/// Returns why this one of the commits is refused; the others are taken all the same.
ErrorCode GroupCoordinator::check_offset(Shard& shard, const OffsetCommitRequest& request,
                                         const PartitionOffset& offset,
                                         std::uint32_t topic_id) const {
    if (offset.topic_id != 0 && offset.topic_id != topic_id) return ErrorCode::unknown_topic_id;
    if (offset.metadata.size() > home_.cluster.options().offset_metadata_max_bytes) {
        return ErrorCode::offset_metadata_too_large;
    }
    ConsumerGroup* const group = find_consumer_group(shard, request.group);
    const ConsumerGroupMember* const member =
        group == nullptr ? nullptr : group->find(request.member_id);
    if (member == nullptr || request.generation == member->epoch) return ErrorCode::none;
    // An older epoch will do for what the member has had all the time since. Source: KIP-1251.
    const auto since = member->assigned.find(offset.partition);
    const bool has_had_it = since != member->assigned.end() && since->second <= request.generation;
    if (has_had_it) return ErrorCode::none;
    return member->classic ? ErrorCode::illegal_generation : ErrorCode::stale_member_epoch;
}

void GroupCoordinator::tell_refused(const OffsetCommitRequest& request, ErrorCode error) {
    sim::History& history = home_.world().history();
    const std::uint64_t why = history.name(make_error_code(error).message());
    for (const PartitionOffset& refused : request.offsets) {
        home_.world().record_as(&home_.process, events::commit_refused,
                                home_.cluster.info(refused.partition).name_text,
                                history.name(request.group), why);
    }
}

OffsetFetchAnswer GroupCoordinator::fetch(const OffsetFetchRequest& request) {
    OffsetFetchAnswer answer;
    Shard* const shard = find_shard(request.group, answer.error);
    if (shard == nullptr) return answer;
    ConsumerGroup* const group = find_consumer_group(*shard, request.group);
    if (group != nullptr && request.member_epoch >= 0) {
        const ConsumerGroupMember* const member = group->find(request.member_id);
        if (member == nullptr) answer.error = ErrorCode::unknown_member_id;
        if (member != nullptr && member->epoch != request.member_epoch) {
            answer.error = ErrorCode::stale_member_epoch;
        }
        if (answer.error != ErrorCode::none) return answer;
    }
    for (const PartitionId partition : request.partitions) {
        if (request.require_stable && shard->offsets.is_pending(request.group, partition)) {
            answer.error = ErrorCode::unstable_offset_commit;
            answer.offsets.clear();
            return answer;
        }
        PartitionOffset found;
        found.partition = partition;
        // Of a topic that is deleted it says nothing of the one that has its name now. Source:
        // Kafka OffsetMetadataManager.fetchOffsets, isMismatchedTopicId.
        const Committed* const known = shard->offsets.find(request.group, partition);
        if (known != nullptr && known->topic_id == topic_id_of(partition)) {
            found.offset = known->offset;
            found.metadata = known->metadata;
            found.leader_epoch = known->leader_epoch;
        }
        answer.offsets.push_back(found);
    }
    return answer;
}

// The commit before the last is in the log, too.
OffsetFetchAnswer GroupCoordinator::fetch_former(const OffsetFetchRequest& request) {
    OffsetFetchAnswer answer = fetch(request);
    if (answer.error != ErrorCode::none) return answer;
    const Replica& replica = *replicas_->find(home_.cluster.offsets_partition(request.group));
    for (PartitionOffset& found : answer.offsets) {
        Offset former = -1;
        found.leader_epoch = -1;
        for (const StoredBatch& batch : replica.log->batches()) {
            if (batch.end_offset() > replica.high_watermark) break;
            for (const Record& record : batch.batch->records) {
                const std::optional<OffsetRecord> commit = read_offset_record(record);
                const bool is_it = commit && commit->group == request.group &&
                                   commit->partition == found.partition;
                if (is_it && commit->offset != found.offset) former = commit->offset;
            }
        }
        found.offset = former;
    }
    return answer;
}

// A member's assignment counts once it is in the log. While it is not, the group stays as it was.
void GroupCoordinator::store(Shard& shard, GroupRecord record) {
    Record bytes = write_record(record);
    auto done = [this, partition = shard.partition, epoch = shard.epoch,
                 written = std::move(record)](ErrorCode error) {
        Shard* const at = shards_.find(partition, epoch);
        Group* const it = at == nullptr ? nullptr : find_group(*at, written.group);
        if (it == nullptr || it->generation != written.generation ||
            it->phase != Group::Phase::completing) {
            return;
        }
        if (error == ErrorCode::none) return stored(*it, written);
        for (auto& [id, member] : it->members) {
            SyncGroupAnswer failed;
            failed.error = as_coordinator_error(error);
            member.sync(std::move(failed));
        }
        prepare_rebalance(*at, *it);
    };
    append(shard, std::move(bytes), std::move(done));
}

void GroupCoordinator::append(const Shard& shard, Record record, Appended done) {
    std::vector<Record> records;
    records.push_back(std::move(record));
    append(shard, std::move(records), std::move(done));
}

void GroupCoordinator::append(const Shard& shard, std::vector<Record> records, Appended done) {
    replicas_->append({shard.partition, make_batch(home_, std::move(records))},
                      home_.cluster.options().offsets_commit_timeout, std::move(done));
}

bool GroupCoordinator::try_append(const Shard& shard, std::vector<Record> records, Appended done) {
    struct Fate {
        bool is_now = true; // the outcome is known before the append returns
        bool has_failed = false;
    };
    auto fate = std::make_shared<Fate>();
    append(shard, std::move(records), [fate, then = std::move(done)](ErrorCode error) {
        fate->has_failed = fate->is_now && error != ErrorCode::none;
        then(error);
    });
    fate->is_now = false;
    return !fate->has_failed;
}

} // namespace crier::broker::kafka
