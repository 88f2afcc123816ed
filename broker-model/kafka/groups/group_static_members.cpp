// Static members: whoever comes back under a known instance id takes the place of his former self,
// who is fenced. While the group is stable that is no rebalance; the new id is in the log before it
// is answered. Source: Kafka GroupMetadataManager.classicGroupJoinNewStaticMember,
// updateStaticMemberThenRebalanceOrCompleteJoin; KIP-345.

#include "broker-model/kafka/broker/coordinator_log.hpp"
#include "broker-model/kafka/groups/group_coordinator.hpp"

namespace crier::broker::kafka {

namespace {

/// Puts the member under another id, with whatever depends on it.
GroupMemberState& rename(Group& group, const std::string& from, const std::string& to) {
    auto entry = group.members.extract(from);
    entry.key() = to;
    GroupMemberState& member = group.members.insert(std::move(entry)).position->second;
    member.record.member_id = to;
    if (group.leader == from) group.leader = to;
    return member;
}

/// Ends what the former self waits for.
void fence(GroupMemberState& former) {
    JoinGroupAnswer no_join;
    no_join.error = ErrorCode::fenced_instance_id;
    no_join.member_id = former.record.member_id;
    former.join(std::move(no_join));
    SyncGroupAnswer no_sync;
    no_sync.error = ErrorCode::fenced_instance_id;
    former.sync(std::move(no_sync));
}

} // namespace

void GroupCoordinator::join_static(Shard& shard, Group& group, JoinGroupRequest request,
                                   sim::Reply<JoinGroupAnswer> reply) {
    request.member_id = request.instance_id + "-" + std::to_string(shard.epoch) + "-" +
                        std::to_string(++group.ids_given);
    GroupMemberState* const known = group.find_instance(request.instance_id);
    if (known == nullptr) return admit(shard, group, std::move(request), std::move(reply));

    fence(*known);
    MemberRecord former = known->record;
    tell_gone(group.name, former.member_id, "another took its place");
    GroupMemberState& member = rename(group, former.member_id, request.member_id);
    member.take(request);
    touch(member);
    if (group.phase == Group::Phase::stable && group.vote() == group.protocol) {
        return keep_place(shard, group, std::move(request.member_id), std::move(former),
                          std::move(reply));
    }
    member.join = std::move(reply);
    if (group.phase == Group::Phase::preparing) {
        try_complete_join(shard, group);
    } else {
        prepare_rebalance(shard, group); // a leader may share out to the old id already
    }
}

void GroupCoordinator::keep_place(Shard& shard, Group& group, std::string member_id,
                                  MemberRecord former, sim::Reply<JoinGroupAnswer> reply) {
    auto held = std::make_shared<sim::Reply<JoinGroupAnswer>>(std::move(reply));
    auto done = [this, held, partition = shard.partition, epoch = shard.epoch, name = group.name,
                 id = std::move(member_id), before = std::move(former)](ErrorCode error) {
        Shard* const at = shards_.find(partition, epoch);
        Group* const it = at == nullptr ? nullptr : find_group(*at, name);
        GroupMemberState* const member = it == nullptr ? nullptr : it->find(id);
        JoinGroupAnswer answer;
        if (error != ErrorCode::none) {
            if (member != nullptr) rename(*it, id, before.member_id).record = before;
            answer.error = as_coordinator_error(error);
        } else if (member == nullptr) {
            answer.error =
                at == nullptr ? ErrorCode::not_coordinator : ErrorCode::unknown_member_id;
        } else {
            answer = joined(*it, *member);
            answer.skip_assignment = it->leader == id;
        }
        (*held)(std::move(answer));
    };
    append(shard, write_record(group.record()), std::move(done));
}

} // namespace crier::broker::kafka
