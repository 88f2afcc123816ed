#include "broker-model/kafka/broker/replica_manager.hpp"
#include "broker-model/kafka/record_ledger.hpp"

#include <algorithm>

// Fetches of consumers and of followers at the leader, and what a follower does with the answers.

namespace crier::broker::kafka {

using crier::kafka::Isolation;

namespace {

// Source: Kafka Partition.checkCurrentLeaderEpoch, then the check for the leader.
ErrorCode check_epoch(const Replica* replica, std::int32_t epoch) {
    if (replica == nullptr) return ErrorCode::not_leader_or_follower;
    if (epoch >= 0 && epoch < replica->state.leader_epoch) return ErrorCode::fenced_leader_epoch;
    if (epoch >= 0 && epoch > replica->state.leader_epoch) return ErrorCode::unknown_leader_epoch;
    return replica->leads() ? ErrorCode::none : ErrorCode::not_leader_or_follower;
}

} // namespace

// A topic id that is not the one known here is of a topic that was deleted, or that this broker has
// not heard of yet. Its own view and its logs never differ, so INCONSISTENT_TOPIC_ID is never said.
// Source: Kafka KafkaApis.handleFetchRequest; KIP-516.
ErrorCode ReplicaManager::check_topic(PartitionId partition, std::uint32_t topic_id) const {
    const std::vector<PartitionState>& known = metadata_->partitions;
    const std::uint32_t here = partition < known.size() ? known[partition].topic_id : 0;
    if (topic_id != 0 && topic_id != here) return ErrorCode::unknown_topic_id;
    return here == 0 ? ErrorCode::unknown_topic_or_partition : ErrorCode::none;
}

void ReplicaManager::fetch(FetchRequest request, sim::Reply<FetchAnswer> reply) {
    // Source: Kafka KafkaApis.handleFetchRequest: no more than the quota's window can ever let
    // through.
    if (fetch_quota_.concerns(request.client)) {
        request.max_bytes = std::min(request.max_bytes, fetch_quota_.window_bytes());
    }
    if (request.replica != 0) {
        fetch_for_follower(request, std::move(reply));
    } else if (!answer_consumer(request, reply, request.max_wait <= Duration{})) {
        park(std::move(request), std::move(reply));
    }
    settle();
}

bool ReplicaManager::answer_consumer(FetchRequest& request, sim::Reply<FetchAnswer>& reply,
                                     bool is_due) {
    FetchAnswer answer;
    std::size_t bytes = 0;
    bool has_error = false;
    for (const FetchPartition& asked : request.partitions) {
        Replica* const replica = find(asked.partition);
        FetchPartitionAnswer part;
        part.partition = asked.partition;
        part.error = check_topic(asked.partition, asked.topic_id);
        if (part.error == ErrorCode::none) {
            part.error = check_epoch(replica, asked.current_leader_epoch);
        }
        if (part.error == ErrorCode::none) {
            const PartitionLog& log = *replica->log;
            part.leader_epoch = replica->state.leader_epoch;
            part.high_watermark = replica->high_watermark;
            part.log_start_offset = log.start();
            if (asked.fetch_offset < log.start() || asked.fetch_offset > log.end()) {
                part.error = ErrorCode::offset_out_of_range;
            } else if (const Offset end = replica->readable_end(request.isolation);
                       asked.fetch_offset < end && bytes < request.max_bytes) {
                if (request.isolation == Isolation::read_committed) {
                    home_.cluster.ledger().stable_up_to(home_.process, replica->state, end);
                }
                bytes += log.read(asked.fetch_offset, end,
                                  std::min(asked.max_bytes, request.max_bytes - bytes), bytes == 0,
                                  part.batches);
                if (request.isolation == Isolation::read_committed && !part.batches.empty()) {
                    part.aborted =
                        log.aborted(asked.fetch_offset, part.batches.back().end_offset());
                }
            } else if (request.isolation == Isolation::read_committed) { // no more for it yet
                home_.cluster.ledger().stable_up_to(home_.process, replica->state, end);
            }
        }
        has_error = has_error || part.error != ErrorCode::none;
        if (part.error != ErrorCode::none || !part.batches.empty()) {
            answer.partitions.push_back(std::move(part));
        }
    }
    if (!is_due && !has_error && bytes < request.min_bytes) return false;
    if (fetch_quota_.concerns(request.client) && bytes > 0) {
        const auto size = static_cast<std::int64_t>(bytes);
        answer.throttle = fetch_quota_.count(request.client, size, home_.now());
        if (answer.throttle > Duration{}) { // it gets its records when it comes back
            fetch_quota_.uncount(request.client, size, home_.now());
            std::erase_if(answer.partitions, [](const FetchPartitionAnswer& part) {
                return part.error == ErrorCode::none;
            });
            bytes = 0;
        }
    }
    reply(std::move(answer), 64 + bytes);
    return true;
}

void ReplicaManager::park(FetchRequest request, sim::Reply<FetchAnswer> reply) {
    if (free_fetches_.empty()) {
        free_fetches_.push_back(static_cast<std::uint32_t>(fetches_.size()));
        fetches_.emplace_back();
    }
    const std::uint32_t slot = free_fetches_.back();
    free_fetches_.pop_back();
    ParkedFetch& parked = fetches_[slot];
    parked.deadline = home_.now() + request.max_wait;
    parked.request = std::move(request);
    parked.reply = std::move(reply);
    parked.live = true;
    for (const FetchPartition& asked : parked.request.partitions) {
        if (Replica* const replica = find(asked.partition)) replica->fetches.push_back(slot);
    }
    alarm_.need(parked.deadline);
}

void ReplicaManager::unpark(std::uint32_t slot) {
    ParkedFetch& parked = fetches_[slot];
    for (const FetchPartition& asked : parked.request.partitions) {
        if (Replica* const replica = find(asked.partition)) std::erase(replica->fetches, slot);
    }
    parked.live = false;
    parked.reply = {};
    free_fetches_.push_back(slot);
}

ListOffsetsAnswer ReplicaManager::list_offsets(const ListOffsetsRequest& request) {
    ListOffsetsAnswer answer;
    const Replica* const replica = find(request.partition);
    answer.error = check_topic(request.partition, 0);
    if (answer.error == ErrorCode::none) answer.error = check_epoch(replica, -1);
    if (answer.error != ErrorCode::none) return answer;
    const bool is_settled = replica->high_watermark >= replica->epoch_start;
    if (request.timestamp == earliest_timestamp) {
        answer.offset = replica->log->start();
    } else if (request.timestamp == latest_timestamp) {
        if (is_settled) answer.offset = replica->readable_end(request.isolation);
    } else {
        const auto found =
            replica->log->find_time(request.timestamp, replica->readable_end(request.isolation));
        answer.offset = found.offset;
        answer.timestamp = found.timestamp;
    }
    // A new leader does not know yet how far the last one's watermark was. Source: KIP-207.
    if (answer.offset < 0 && !is_settled) answer.error = ErrorCode::offset_not_available;
    return answer;
}

// Source: Kafka Partition.lastOffsetForLeaderEpoch.
OffsetsForLeaderEpochAnswer
ReplicaManager::offsets_for_leader_epoch(const OffsetsForLeaderEpochRequest& request) {
    OffsetsForLeaderEpochAnswer answer;
    const Replica* const replica = find(request.partition);
    answer.error = check_topic(request.partition, 0);
    if (answer.error == ErrorCode::none) {
        answer.error = check_epoch(replica, request.current_leader_epoch);
    }
    if (answer.error != ErrorCode::none) return answer;
    const EpochEnd end = replica->log->end_of(request.leader_epoch);
    answer.leader_epoch = end.epoch;
    answer.end_offset = end.end;
    return answer;
}

void ReplicaManager::fetch_for_follower(FetchRequest& request, sim::Reply<FetchAnswer> reply) {
    FollowerSession& session = sessions_[request.replica - 1];
    session.parked = {};
    if (request.session == 0) {
        // Numbers of other lives of this broker must not be taken for this one's.
        const auto life = static_cast<std::uint64_t>(home_.process.incarnation());
        session = {};
        session.number = (life << 32) | ++session_count_;
        for (const auto& replica : replicas_) {
            Peer* const peer = replica ? replica->find_peer(request.replica) : nullptr;
            if (peer == nullptr) continue;
            peer->in_session = peer->listed = peer->awaited = false;
            peer->told_watermark = -1; // a first answer has all partitions. Source: KIP-227
        }
    } else if (request.session != session.number) {
        return reply(FetchAnswer{});
    }
    session.broker_epoch = request.replica_broker_epoch;
    session.max_bytes = request.max_bytes;
    for (const FetchPartition& asked : request.partitions) {
        FetchPartitionAnswer verdict = follow(request.replica, asked);
        if (verdict.error != ErrorCode::none || verdict.diverging_epoch) {
            session.verdicts.push_back(std::move(verdict));
            session.is_ready = true;
        }
    }
    // Refused: the leader knew less of the follower than the controller. By now it may know more.
    for (const PartitionId partition : std::exchange(refused_, {})) {
        if (Replica* const replica = find(partition)) invite(*replica);
    }
    session.last_fetch = home_.now();
    session.parked = std::move(reply);
    session.deadline = home_.now() + request.max_wait;
    alarm_.need(session.deadline); // `settle` answers at once if there is something
}

FetchPartitionAnswer ReplicaManager::follow(BrokerId follower, const FetchPartition& asked) {
    FetchPartitionAnswer verdict;
    verdict.partition = asked.partition;
    Replica* const replica = find(asked.partition);
    verdict.error = check_topic(asked.partition, asked.topic_id);
    if (verdict.error == ErrorCode::none) {
        verdict.error = check_epoch(replica, asked.current_leader_epoch);
    }
    if (verdict.error != ErrorCode::none) return verdict;
    Peer* const peer = replica->find_peer(follower);
    if (peer == nullptr) {
        verdict.error = ErrorCode::not_leader_or_follower;
        return verdict;
    }
    const PartitionLog& log = *replica->log;
    verdict.leader_epoch = replica->state.leader_epoch;
    verdict.topic_id = replica->state.topic_id;
    verdict.high_watermark = replica->high_watermark;
    peer->in_session = true;
    peer->awaited = true;
    if (asked.last_fetched_epoch >= 0) {
        // Source: KIP-595, Kafka Partition.readRecords.
        const EpochEnd end = log.end_of(asked.last_fetched_epoch);
        if (end.epoch != asked.last_fetched_epoch || end.end < asked.fetch_offset) {
            verdict.diverging_epoch = end.epoch;
            verdict.diverging_end = end.end < 0 ? log.start() : end.end;
            return verdict;
        }
    }
    if (asked.fetch_offset > log.end() || asked.fetch_offset < log.start()) {
        verdict.error = ErrorCode::offset_out_of_range;
        verdict.log_start_offset = log.start();
        verdict.diverging_end = log.end();
        return verdict;
    }
    peer->awaited = false;
    peer->log_start = asked.log_start_offset;
    replica->note_fetch(*peer, asked.fetch_offset, home_.now());
    invite(*replica);
    advance(*replica);
    list(*replica, *peer, asked.fetch_offset < log.end());
    return verdict;
}

void ReplicaManager::list(Replica& replica, Peer& peer, bool is_ready) {
    if (!peer.in_session || peer.awaited) return;
    if (!is_ready && peer.told_watermark == replica.high_watermark &&
        peer.told_start == replica.log->start()) {
        return;
    }
    FollowerSession& session = sessions_[peer.broker - 1];
    if (!std::exchange(peer.listed, true)) session.listed.push_back(replica.id);
    session.is_ready = session.is_ready || is_ready;
}

void ReplicaManager::answer_session(BrokerId follower, FollowerSession& session) {
    FetchAnswer answer;
    answer.session = session.number;
    answer.partitions = std::exchange(session.verdicts, {});
    std::size_t bytes = 0;
    std::size_t done = 0;
    for (; done < session.listed.size() && bytes < session.max_bytes; ++done) {
        Replica* const listed = find(session.listed[done]);
        Peer* const peer = listed == nullptr ? nullptr : listed->find_peer(follower);
        if (peer == nullptr) continue;
        Replica& replica = *listed;
        peer->listed = false;
        if (!peer->in_session || peer->awaited) continue;
        FetchPartitionAnswer part;
        part.partition = replica.id;
        part.leader_epoch = replica.state.leader_epoch;
        part.topic_id = replica.state.topic_id;
        part.high_watermark = replica.high_watermark;
        part.log_start_offset = replica.log->start();
        bytes += replica.log->read(peer->end, replica.log->end(), 1048576, true, part.batches);
        peer->awaited = !part.batches.empty();
        peer->told_watermark = replica.high_watermark;
        peer->told_start = replica.log->start();
        answer.partitions.push_back(std::move(part));
    }
    session.listed.erase(session.listed.begin(),
                         session.listed.begin() + static_cast<std::ptrdiff_t>(done));
    session.is_ready = !session.listed.empty();
    session.parked(std::move(answer), 64 + bytes);
}

FetchPartition ReplicaManager::next_fetch(PartitionId partition) {
    const Replica& replica = *find(partition);
    FetchPartition next;
    next.partition = partition;
    next.topic_id = replica.state.topic_id;
    next.fetch_offset = replica.log->end();
    next.current_leader_epoch = replica.state.leader_epoch;
    next.last_fetched_epoch = replica.log->last_epoch();
    next.log_start_offset = replica.log->start();
    return next;
}

ReplicaManager::Received ReplicaManager::receive(BrokerId leader, FetchPartitionAnswer& answer) {
    Replica* const replica = find(answer.partition);
    if (replica == nullptr || replica->part != Replica::Part::follower ||
        replica->state.leader != leader || !home_.process.is_alive()) {
        return Received::nothing;
    }
    const bool is_of_another = answer.topic_id != 0 && answer.topic_id != replica->state.topic_id;
    if (is_of_another) return Received::nothing;
    if (answer.error == ErrorCode::offset_out_of_range) return begin_within(*replica, answer);
    if (answer.error != ErrorCode::none) return Received::failed;
    if (answer.leader_epoch != replica->state.leader_epoch) return Received::nothing;
    PartitionLog& log = *replica->log;
    if (answer.diverging_epoch) {
        // The largest point that both logs can have in common, as far as this answer tells.
        // Source: Kafka AbstractFetcherThread.getOffsetTruncationState.
        const EpochEnd own = log.end_of(*answer.diverging_epoch);
        log.truncate(own.end < 0 ? log.start() : std::min(own.end, answer.diverging_end));
        replica->high_watermark = std::min(replica->high_watermark, log.end());
        return Received::changed;
    }
    if (home_.node.disk().is_full() && !answer.batches.empty()) return Received::failed;
    const Offset before = log.end();
    for (const StoredBatch& batch : answer.batches) {
        if (batch.base_offset < log.end()) continue;
        log.append(batch);
        note_written(*replica);
    }
    const Offset watermark = std::min(answer.high_watermark, log.end());
    if (watermark > replica->high_watermark) {
        replica->high_watermark = watermark;
        log.note_high_watermark(watermark, home_.now());
        if (replica->owner != nullptr) {
            log.compact_internal(log.last_stable_offset(watermark), home_.timestamp_now());
        }
    }
    const Offset start = std::min(answer.log_start_offset, replica->high_watermark);
    const bool has_risen = start > log.start();
    if (has_risen) log.raise_start(start);
    return log.end() != before || has_risen ? Received::changed : Received::nothing;
}

// The leader's log ends before this one, or begins after its end. Kafka's follower asks for both in
// a call of its own. Source: Kafka AbstractFetcherThread.fetchOffsetAndTruncate.
ReplicaManager::Received ReplicaManager::begin_within(Replica& replica,
                                                      const FetchPartitionAnswer& answer) {
    PartitionLog& log = *replica.log;
    if (answer.diverging_end < log.end()) {
        log.truncate(answer.diverging_end);
    } else if (answer.log_start_offset > log.end()) {
        log.restart(answer.log_start_offset);
    } else {
        return Received::failed;
    }
    replica.high_watermark = log.kept_high_watermark();
    return Received::changed;
}

} // namespace crier::broker::kafka
