// Groups of the new consumer protocol: one request says everything, and every answer that tells of
// a change is in the log first, so that the next coordinator goes on with the same epochs. Source:
// Kafka GroupMetadataManager.consumerGroupHeartbeat; KIP-848.

#include "broker-model/events.hpp"
#include "broker-model/kafka/broker/coordinator_log.hpp"
#include "broker-model/kafka/groups/group_coordinator.hpp"

#include <algorithm>

namespace crier::broker::kafka {

namespace {

void refuse(sim::Reply<ConsumerGroupHeartbeatAnswer>& reply, ErrorCode error) {
    ConsumerGroupHeartbeatAnswer answer;
    answer.error = error;
    reply(std::move(answer));
}

/// Source: GroupMetadataManager.throwIfConsumerGroupHeartbeatRequestIsInvalid.
ErrorCode check_request(const ConsumerGroupHeartbeatRequest& request) {
    if (request.member_id.empty()) return ErrorCode::invalid_request;
    if (request.member_epoch == left_for_a_while && request.instance_id.empty()) {
        return ErrorCode::invalid_request;
    }
    if (request.member_epoch < left_for_a_while) return ErrorCode::invalid_request;
    const bool is_complete = request.rebalance_timeout > Duration{} && request.topics &&
                             request.owned && request.owned->empty();
    if (request.member_epoch == 0 && !is_complete) return ErrorCode::invalid_request;
    if (!request.assignor.empty() && !is_server_assignor(request.assignor)) {
        return ErrorCode::unsupported_assignor;
    }
    return ErrorCode::none;
}

std::string_view why_gone(const ConsumerGroupMember& member, Instant now) {
    if (member.session_end <= now) return "its session is over";
    if (member.revocation_end <= now) return "it did not give back in time";
    return member.join_end <= now ? "it did not join in time" : "it did not sync in time";
}

} // namespace

ConsumerGroup* GroupCoordinator::find_consumer_group(Shard& shard, std::string_view group) {
    const auto found = shard.consumer_groups.find(group);
    return found == shard.consumer_groups.end() ? nullptr : &found->second;
}

void GroupCoordinator::consumer_heartbeat(ConsumerGroupHeartbeatRequest request,
                                          sim::Reply<ConsumerGroupHeartbeatAnswer> reply) {
    ErrorCode error = ErrorCode::none;
    Shard* const shard = find_shard(request.group, error);
    if (shard == nullptr) return refuse(reply, error);
    error = check_request(request);
    if (error != ErrorCode::none) return refuse(reply, error);
    if (has_share_members(*shard, request.group)) {
        return refuse(reply, ErrorCode::group_id_not_found);
    }
    Group* const classic = find_group(*shard, request.group);
    if (classic != nullptr && classic->phase != Group::Phase::empty) {
        if (request.member_epoch == 0 && may_upgrade(*classic)) {
            return upgrade(*shard, *classic, request, std::move(reply));
        }
        return refuse(reply, ErrorCode::group_id_not_found);
    }
    ConsumerGroup* group = find_consumer_group(*shard, request.group);
    if (group == nullptr && request.member_epoch != 0) {
        return refuse(reply, ErrorCode::group_id_not_found);
    }
    if (group == nullptr) {
        group = &shard->consumer_groups[request.group];
        group->name = request.group;
        if (classic != nullptr) group->ids_given = classic->ids_given;
        shard->groups.erase(request.group); // it was empty
    }
    const ConsumerGroup before = *group;
    if (request.member_epoch < 0) {
        return consumer_leave(*shard, *group, before, request, std::move(reply));
    }
    ConsumerGroupMember* const member = find_or_admit(*group, request, error);
    if (member == nullptr) return refuse(reply, error);
    ConsumerGroupHeartbeatAnswer answer = heed(*group, *member, request);
    persist(*shard, *group, before, when_written(std::move(answer), std::move(reply)));
}

/// Takes the member one step further, by what its heartbeat says. **Returns** what it is told.
ConsumerGroupHeartbeatAnswer GroupCoordinator::heed(ConsumerGroup& group,
                                                    ConsumerGroupMember& member,
                                                    const ConsumerGroupHeartbeatRequest& request) {
    const std::vector<PartitionId> had = member.partitions();
    member.classic.reset();
    member.join_end = Instant::max();
    member.sync_end = Instant::max();
    update_subscription(group, member, request);
    note_topics(group);
    maybe_make_target(group);
    group.reconcile(member, request.owned ? &*request.owned : nullptr);
    touch(member);

    ConsumerGroupHeartbeatAnswer answer;
    answer.member_epoch = member.epoch;
    answer.heartbeat_interval = home_.cluster.options().consumer_group_heartbeat_interval;
    const bool is_full = request.member_epoch == 0 || (request.rebalance_timeout > Duration{} &&
                                                       request.topics && request.owned);
    if (is_full || member.partitions() != had) answer.assignment = member.partitions();
    return answer;
}

/// Returns who sends the heartbeat; a new member, or one that takes the place of a static member
/// that is away, is in the group then. Null: `error` says why it is refused.
ConsumerGroupMember* GroupCoordinator::find_or_admit(ConsumerGroup& group,
                                                     const ConsumerGroupHeartbeatRequest& request,
                                                     ErrorCode& error) const {
    const bool joins = request.member_epoch == 0;
    const std::vector<PartitionId>* const owned = request.owned ? &*request.owned : nullptr;
    ConsumerGroupMember* member = group.find(request.member_id);
    const auto limit = static_cast<std::size_t>(home_.cluster.options().consumer_group_max_size);
    if (member == nullptr && group.members.size() >= limit) {
        error = ErrorCode::group_max_size_reached;
        return nullptr;
    }
    if (!request.instance_id.empty()) {
        ConsumerGroupMember* const known = group.find_instance(request.instance_id);
        if (joins && known != nullptr) {
            if (known->epoch != left_for_a_while && !known->classic) {
                error = ErrorCode::unreleased_instance_id;
                return nullptr;
            }
            tell_gone(group.name, known->member_id, "another took its place");
            return &take_place(group, *known, request.member_id);
        }
        if (known != nullptr && known->member_id != request.member_id) {
            error = ErrorCode::fenced_instance_id;
            return nullptr;
        }
        member = known;
    }
    if (member != nullptr) {
        error = ConsumerGroup::check_epoch(*member, request.member_epoch, owned);
        return error == ErrorCode::none ? member : nullptr;
    }
    if (!joins) {
        error = ErrorCode::unknown_member_id;
        return nullptr;
    }
    ConsumerGroupMember& added = group.members[request.member_id];
    added.member_id = request.member_id;
    added.instance_id = request.instance_id;
    return &added;
}

/// A static member comes back as another member id, with all that its former self has.
ConsumerGroupMember& GroupCoordinator::take_place(ConsumerGroup& group,
                                                  const ConsumerGroupMember& former,
                                                  const std::string& member_id) {
    const std::string former_id = former.member_id;
    auto entry = group.members.extract(former_id);
    entry.key() = member_id;
    ConsumerGroupMember& member = group.members.insert(std::move(entry)).position->second;
    member.member_id = member_id;
    member.epoch = 0;
    member.previous_epoch = 0;
    if (auto target = group.target.extract(former_id)) {
        target.key() = member_id;
        group.target.insert(std::move(target));
    }
    return member;
}

void GroupCoordinator::update_subscription(ConsumerGroup& group, ConsumerGroupMember& member,
                                           const ConsumerGroupHeartbeatRequest& request) {
    if (request.rebalance_timeout > Duration{}) {
        member.rebalance_timeout = request.rebalance_timeout;
    }
    if (!request.client_id.empty()) member.client_id = request.client_id;
    const bool wants_other = !request.assignor.empty() && request.assignor != member.assignor;
    const bool has_changed = wants_other || (request.topics && *request.topics != member.topics);
    if (wants_other) member.assignor = request.assignor;
    if (request.topics) member.topics = *request.topics;
    if (has_changed) ++group.epoch;
}

// Topics may have changed: looked at by the first heartbeat after the news, of whichever member.
// Source: GroupMetadataManager.onMetadataUpdate, ConsumerGroup.hasMetadataExpired.
void GroupCoordinator::note_topics(ConsumerGroup& group) {
    const ClusterMetadata& metadata = *replicas_->metadata();
    if (group.topics_seen == metadata.version) return;
    group.topics_seen = metadata.version;
    const bool is_current = group.target_epoch == group.epoch;
    if (is_current && !group.fits({home_.cluster, metadata})) ++group.epoch;
}

// Changes that come close together are one new target.
void GroupCoordinator::maybe_make_target(ConsumerGroup& group) {
    if (group.target_epoch == group.epoch) return;
    const Duration interval = home_.cluster.options().consumer_group_assignment_interval;
    const Instant earliest = group.target_made + interval;
    if (group.target_epoch > 0 && home_.now() < earliest) return alarm_.need(earliest);
    group.make_target({home_.cluster, *replicas_->metadata()}, group.preferred_assignor());
    group.target_made = home_.now();
    sim::World& world = home_.world();
    world.record_as(&home_.process, events::generation_started, world.history().name(group.name),
                    group.target_epoch, group.members.size());
}

void GroupCoordinator::touch(ConsumerGroupMember& member) {
    using State = ConsumerGroupMember::State;
    const Instant now = home_.now();
    member.session_end =
        now + (member.classic ? member.classic->session_timeout
                              : home_.cluster.options().consumer_group_session_timeout);
    alarm_.need(member.session_end);
    if (member.state != State::unrevoked || member.classic) {
        member.revocation_end = Instant::max();
    } else if (member.revocation_end == Instant::max()) {
        member.revocation_end = now + member.rebalance_timeout;
        alarm_.need(member.revocation_end);
    }
}

void GroupCoordinator::consumer_leave(Shard& shard, ConsumerGroup& group,
                                      const ConsumerGroup& before,
                                      const ConsumerGroupHeartbeatRequest& request,
                                      sim::Reply<ConsumerGroupHeartbeatAnswer> reply) {
    const bool is_static = !request.instance_id.empty();
    ConsumerGroupMember* const member =
        is_static ? group.find_instance(request.instance_id) : group.find(request.member_id);
    if (member == nullptr) return refuse(reply, ErrorCode::unknown_member_id);
    if (member->member_id != request.member_id) {
        return refuse(reply, ErrorCode::fenced_instance_id);
    }
    ConsumerGroupHeartbeatAnswer answer;
    answer.member_epoch = request.member_epoch;
    if (request.member_epoch == left_for_a_while) {
        member->epoch = left_for_a_while; // until its session ends
        member->revoking.clear();
        member->state = ConsumerGroupMember::State::stable;
        member->revocation_end = Instant::max();
    } else {
        tell_gone(group.name, request.member_id, "it left");
        remove(group, request.member_id);
    }
    persist_removal(shard, group, before, when_written(std::move(answer), std::move(reply)));
}

void GroupCoordinator::remove(ConsumerGroup& group, const std::string& member_id) {
    group.members.erase(member_id);
    group.target.erase(member_id);
    ++group.epoch;
}

// A change that cannot be written did not happen; one that was written and not replicated in time
// may have.
void GroupCoordinator::persist(Shard& shard, ConsumerGroup& group, const ConsumerGroup& before,
                               Appended done) {
    std::vector<Record> now(1, write_record(group));
    if (now.front().value == write_record(before).value) return done(ErrorCode::none);
    const bool is_written = try_append(shard, std::move(now), std::move(done));
    if (!is_written) group = ConsumerGroup(before);
}

/// Members are gone. Whoever is left may go on by the classic protocol; then `group` ends here.
void GroupCoordinator::persist_removal(Shard& shard, ConsumerGroup& group,
                                       const ConsumerGroup& before, Appended done) {
    if (group.members.size() < before.members.size() && may_downgrade(group)) {
        downgrade(shard, group, before, true, std::move(done));
    } else {
        persist(shard, group, before, std::move(done));
    }
}

ErrorCode GroupCoordinator::check_commit(ConsumerGroup& group,
                                         const OffsetCommitRequest& request) const {
    if (request.generation < 0 && group.members.empty()) return ErrorCode::none;
    ConsumerGroupMember* const member = group.find(request.member_id);
    if (member == nullptr) return ErrorCode::unknown_member_id;
    // Whether an older epoch will do is said by partition.
    if (request.generation <= member->epoch) return ErrorCode::none;
    return member->classic ? ErrorCode::illegal_generation : ErrorCode::stale_member_epoch;
}

void GroupCoordinator::tick(Shard& shard, ConsumerGroup& group) {
    const Instant now = home_.now();
    const ConsumerGroup before = group;
    std::vector<std::string> gone;
    for (const auto& [id, member] : group.members) {
        if (member.deadline() <= now) gone.push_back(id);
    }
    for (const std::string& id : gone) {
        tell_gone(group.name, id, why_gone(*group.find(id), now));
        remove(group, id);
    }
    const auto done = [](ErrorCode) {};
    if (!gone.empty() && may_downgrade(group)) {
        if (downgrade(shard, group, before, true, done)) return;
    } else {
        if (!group.members.empty()) maybe_make_target(group);
        persist(shard, group, before, done);
    }
    constexpr Duration again = std::chrono::milliseconds(500); // where it could not be written
    for (auto& [id, member] : group.members) {
        if (member.deadline() <= now) {
            for (Instant* const end :
                 {&member.session_end, &member.revocation_end, &member.join_end, &member.sync_end})
                *end = std::max(*end, now + again);
        }
        alarm_.need(member.deadline());
    }
}

} // namespace crier::broker::kafka
