// Members of the classic protocol in a consumer group. A generation is a member epoch, joining is a
// heartbeat that says what the member holds, syncing asks what it may have: nobody leads, and
// nobody waits for another. Heartbeats tell it to join again, in which an eager member gives
// everything back and a cooperative one what it must. Source: Kafka GroupMetadataManager.
// classicGroupJoinToConsumerGroup, classicGroupSyncToConsumerGroup,
// classicGroupHeartbeatToConsumerGroup, classicGroupLeaveToConsumerGroup.

#include "broker-model/events.hpp"
#include "broker-model/kafka/broker/coordinator_log.hpp"
#include "broker-model/kafka/groups/group_coordinator.hpp"

#include <algorithm>

namespace crier::broker::kafka {

namespace {

void refuse(sim::Reply<JoinGroupAnswer>& reply, ErrorCode error, std::string member_id) {
    JoinGroupAnswer answer;
    answer.error = error;
    answer.member_id = std::move(member_id);
    reply(std::move(answer));
}

/// What the member holds while it joins. An eager one holds nothing: what the sticky assignor is
/// told are its partitions of before.
std::vector<PartitionId> held_by(const JoinGroupRequest& request) {
    const std::vector<std::string>& protocols = request.protocols;
    const bool is_cooperative =
        std::all_of(protocols.begin(), protocols.end(),
                    [](const std::string& one) { return one == "cooperative-sticky"; });
    return is_cooperative ? request.owned : std::vector<PartitionId>();
}

/// The joining in the words of the new protocol.
ConsumerGroupHeartbeatRequest as_heartbeat(const JoinGroupRequest& request) {
    ConsumerGroupHeartbeatRequest heartbeat;
    heartbeat.group = request.group;
    heartbeat.member_id = request.member_id;
    heartbeat.instance_id = request.instance_id;
    heartbeat.client_id = request.client_id;
    heartbeat.rebalance_timeout = request.rebalance_timeout;
    heartbeat.topics = request.topics;
    heartbeat.owned = held_by(request);
    return heartbeat;
}

/// Returns the member of that id, unless another has its instance id now. Null: `error` says why.
ConsumerGroupMember* find_member(ConsumerGroup& group, const std::string& member_id,
                                 const std::string& instance_id, ErrorCode& error) {
    ConsumerGroupMember* const known =
        instance_id.empty() ? group.find(member_id) : group.find_instance(instance_id);
    if (known != nullptr && known->member_id == member_id) return known;
    error = known == nullptr ? ErrorCode::unknown_member_id : ErrorCode::fenced_instance_id;
    return nullptr;
}

/// The same for requests that only classic members send, in their generation.
ConsumerGroupMember* find_classic(ConsumerGroup& group, const std::string& member_id,
                                  const std::string& instance_id, std::int32_t generation,
                                  ErrorCode& error) {
    ConsumerGroupMember* const member = find_member(group, member_id, instance_id, error);
    if (member == nullptr) return nullptr;
    if (!member->classic) {
        error = ErrorCode::unknown_member_id;
    } else if (member->epoch != generation) {
        error = ErrorCode::illegal_generation;
    }
    return error == ErrorCode::none ? member : nullptr;
}

} // namespace

/// Returns the member that joins, which is in the group then. Null: `error` says why it is refused.
ConsumerGroupMember* GroupCoordinator::admit_classic(const Shard& shard, ConsumerGroup& group,
                                                     JoinGroupRequest& request,
                                                     ErrorCode& error) const {
    const ClusterOptions& options = home_.cluster.options();
    const auto limit = static_cast<std::size_t>(options.consumer_group_max_size);
    const bool is_static = !request.instance_id.empty();
    const bool is_unknown = request.member_id.empty();
    const ConsumerGroupMember* const known =
        is_static ? group.find_instance(request.instance_id) : group.find(request.member_id);
    if (options.consumer_group_migration_policy == GroupMigrationPolicy::disabled ||
        !group.accepts(request.protocols)) {
        error = ErrorCode::inconsistent_group_protocol;
    } else if (known == nullptr && group.members.size() >= limit) {
        error = ErrorCode::group_max_size_reached;
    } else if (is_static && !is_unknown) {
        return find_member(group, request.member_id, request.instance_id, error);
    }
    if (error != ErrorCode::none) return nullptr;
    if (is_unknown) {
        const std::string& prefix = is_static ? request.instance_id : request.client_id;
        request.member_id =
            prefix + "-" + std::to_string(shard.epoch) + "-" + std::to_string(++group.ids_given);
        if (!is_static) {
            error = ErrorCode::member_id_required;
            return nullptr;
        }
        if (known != nullptr) {
            tell_gone(group.name, known->member_id, "another took its place");
            return &take_place(group, *known, request.member_id);
        }
    }
    ConsumerGroupMember& member = group.members[request.member_id];
    member.member_id = request.member_id;
    member.instance_id = request.instance_id;
    return &member;
}

void GroupCoordinator::join(Shard& shard, ConsumerGroup& group, JoinGroupRequest request,
                            sim::Reply<JoinGroupAnswer> reply) {
    const ConsumerGroup before = group;
    JoinGroupAnswer answer;
    ConsumerGroupMember* const member = admit_classic(shard, group, request, answer.error);
    if (member == nullptr) return refuse(reply, answer.error, std::move(request.member_id));
    const ConsumerGroupHeartbeatRequest heartbeat = as_heartbeat(request);
    member->classic = ClassicMember{request.session_timeout, request.protocols};
    update_subscription(group, *member, heartbeat);
    note_topics(group);
    // A static member may come back by the classic protocol, and be the last one to do so.
    const bool downgrades = !before.is_all_classic() && may_downgrade(group);
    if (!downgrades) maybe_make_target(group);
    const bool rebalances = downgrades && group.target_epoch < group.epoch;
    if (!rebalances) group.reconcile(*member, &*heartbeat.owned);
    touch(*member);
    member->join_end = Instant::max();
    member->sync_end = home_.now() + member->rebalance_timeout;
    alarm_.need(member->sync_end);

    answer.generation = member->epoch;
    answer.protocol = request.protocols.front();
    answer.member_id = member->member_id;
    Appended done = when_written(std::move(answer), std::move(reply));
    if (downgrades) {
        downgrade(shard, group, before, rebalances, std::move(done));
    } else {
        persist(shard, group, before, std::move(done));
    }
}

void GroupCoordinator::sync(ConsumerGroup& group, const SyncGroupRequest& request,
                            sim::Reply<SyncGroupAnswer> reply) {
    SyncGroupAnswer answer;
    ConsumerGroupMember* const member = find_classic(group, request.member_id, request.instance_id,
                                                     request.generation, answer.error);
    if (member == nullptr) return reply(std::move(answer));
    // Who has to give back is told what it keeps before the next target concerns it.
    const bool gives_back = member->state == ConsumerGroupMember::State::unrevoked;
    if (member->epoch < group.target_epoch && !gives_back) {
        answer.error = ErrorCode::rebalance_in_progress;
        await_rejoin(*member);
    } else {
        member->sync_end = Instant::max();
        touch(*member);
        answer.partitions = member->partitions();
    }
    reply(std::move(answer));
}

ErrorAnswer GroupCoordinator::heartbeat(ConsumerGroup& group, const HeartbeatRequest& request) {
    ErrorAnswer answer;
    ConsumerGroupMember* const member = find_classic(group, request.member_id, request.instance_id,
                                                     request.generation, answer.error);
    if (member == nullptr) return answer;
    touch(*member);
    if (!group.must_rejoin(*member)) return answer;
    answer.error = ErrorCode::rebalance_in_progress;
    await_rejoin(*member);
    return answer;
}

ErrorAnswer GroupCoordinator::leave(Shard& shard, ConsumerGroup& group,
                                    const LeaveGroupRequest& request) {
    ErrorAnswer answer;
    const ConsumerGroupMember* const named = group.find_instance(request.instance_id);
    const bool by_instance = request.member_id.empty() && named != nullptr;
    const std::string id = by_instance ? named->member_id : request.member_id;
    if (find_member(group, id, request.instance_id, answer.error) == nullptr) return answer;
    const ConsumerGroup before = group;
    tell_gone(group.name, id, "it left");
    remove(group, id);
    persist_removal(shard, group, before, [](ErrorCode) {});
    return answer;
}

void GroupCoordinator::await_rejoin(ConsumerGroupMember& member) {
    if (member.join_end == Instant::max()) member.join_end = home_.now() + member.rebalance_timeout;
    alarm_.need(member.join_end);
}

} // namespace crier::broker::kafka
