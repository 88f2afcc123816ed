// A live group changes its protocol: a classic one goes on as a consumer group when a member of the
// new protocol joins, and a consumer group as a classic one when all that are left speak the
// classic protocol. Either way is one batch in the log. Source: Kafka GroupMetadataManager.
// convertToConsumerGroup, convertToClassicGroup; KIP-848, which also says why a member is asked to
// join again: so that what it holds is known before others get it.

#include "broker-model/kafka/broker/coordinator_log.hpp"
#include "broker-model/kafka/groups/group_coordinator.hpp"

namespace crier::broker::kafka {

namespace {

/// What the members had last is what they have and should have; who joins or syncs just now has to
/// begin anew. **Source**: Kafka ConsumerGroup.fromClassicGroup.
ConsumerGroup as_consumer_group(const Group& classic) {
    ConsumerGroup group;
    group.name = classic.name;
    group.epoch = classic.generation;
    group.target_epoch = classic.generation;
    group.ids_given = classic.ids_given;
    for (const auto& [id, known] : classic.members) {
        ConsumerGroupMember& member = group.members[id];
        member.member_id = id;
        member.instance_id = known.record.instance_id;
        member.client_id = known.record.client_id;
        member.rebalance_timeout = known.record.rebalance_timeout;
        member.topics = known.record.topics;
        member.epoch = classic.generation;
        member.previous_epoch = classic.generation;
        for (const PartitionId partition : known.record.assignment)
            member.assigned.emplace(partition, classic.generation);
        member.classic = ClassicMember{known.record.session_timeout, known.record.protocols};
        group.target.emplace(id, known.record.assignment);
    }
    return group;
}

/// Its generation is an epoch of the group; who is in another one learns that it has lost
/// everything. What members should have counts as what they have. **Requires** classic members.
/// **Source**: Kafka ClassicGroup.fromConsumerGroup.
Group as_classic_group(const ConsumerGroup& group, std::int32_t generation) {
    Group classic;
    classic.name = group.name;
    classic.phase = Group::Phase::stable;
    classic.generation = generation;
    classic.leader = group.members.begin()->first;
    classic.ids_given = group.ids_given;
    for (const auto& [id, known] : group.members) {
        GroupMemberState& member = classic.members[id];
        member.has_synced = true;
        member.record.member_id = id;
        member.record.instance_id = known.instance_id;
        member.record.client_id = known.client_id;
        member.record.session_timeout = known.classic->session_timeout;
        member.record.rebalance_timeout = known.rebalance_timeout;
        member.record.protocols = known.classic->protocols;
        member.record.topics = known.topics;
        const auto target = group.target.find(id);
        if (target != group.target.end()) member.record.assignment = target->second;
    }
    classic.protocol = classic.vote();
    return classic;
}

} // namespace

/// **Source**: GroupMetadataManager.validateOnlineUpgrade.
bool GroupCoordinator::may_upgrade(const Group& group) const {
    const ClusterOptions& options = home_.cluster.options();
    const GroupMigrationPolicy policy = options.consumer_group_migration_policy;
    const bool allows =
        policy == GroupMigrationPolicy::upgrade || policy == GroupMigrationPolicy::bidirectional;
    return allows &&
           group.members.size() <= static_cast<std::size_t>(options.consumer_group_max_size);
}

/// **Source**: GroupMetadataManager.validateOnlineDowngradeWithFencedMembers.
bool GroupCoordinator::may_downgrade(const ConsumerGroup& group) const {
    const ClusterOptions& options = home_.cluster.options();
    const GroupMigrationPolicy policy = options.consumer_group_migration_policy;
    const bool allows =
        policy == GroupMigrationPolicy::downgrade || policy == GroupMigrationPolicy::bidirectional;
    return allows && group.is_all_classic() &&
           group.members.size() <= static_cast<std::size_t>(options.group_max_size);
}

/// A member of the new protocol joins a classic group that has members.
void GroupCoordinator::upgrade(Shard& shard, Group& classic,
                               const ConsumerGroupHeartbeatRequest& request,
                               sim::Reply<ConsumerGroupHeartbeatAnswer> reply) {
    ConsumerGroup group = as_consumer_group(classic);
    ConsumerGroupHeartbeatAnswer answer;
    ConsumerGroupMember* const member = find_or_admit(group, request, answer.error);
    if (member == nullptr) return reply(std::move(answer));
    answer = heed(group, *member, request);
    std::vector<Record> records;
    records.push_back(write_group_tombstone(group.name));
    records.push_back(write_record(group));
    if (!try_append(shard, std::move(records), when_written(std::move(answer), std::move(reply)))) {
        return;
    }
    for (auto& [id, other] : group.members)
        touch(other);
    refuse_waiting(classic, ErrorCode::rebalance_in_progress);
    const std::string name = group.name;
    shard.groups.erase(name);
    shard.consumer_groups.insert_or_assign(name, std::move(group));
}

/// All members speak the classic protocol. **Returns** whether the log has taken the change:
/// `group` has ended then, else it is again as it was `before`.
bool GroupCoordinator::downgrade(Shard& shard, ConsumerGroup& group, const ConsumerGroup& before,
                                 bool rebalances, Appended done) {
    const std::string name = group.name;
    Group classic = as_classic_group(group, before.epoch);
    std::vector<Record> records;
    records.push_back(write_consumer_group_tombstone(name));
    records.push_back(write_record(classic.record()));
    if (!try_append(shard, std::move(records), std::move(done))) {
        group = ConsumerGroup(before);
        return false;
    }
    shard.consumer_groups.erase(name);
    Group& now = shard.groups.insert_or_assign(name, std::move(classic)).first->second;
    for (auto& [id, member] : now.members)
        touch(member);
    if (rebalances) prepare_rebalance(shard, now);
    return true;
}

} // namespace crier::broker::kafka
