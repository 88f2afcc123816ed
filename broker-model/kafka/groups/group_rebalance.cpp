#include "broker-model/kafka/groups/group_coordinator.hpp"

#include "broker-model/events.hpp"

#include <algorithm>

// Joining, syncing and leaving: how a group gets from one generation to the next.

namespace crier::broker::kafka {

namespace {

// A member that never was in a generation and waits for its first: Kafka's fixed limit.
constexpr Duration new_member_join_timeout = std::chrono::minutes(5);

void refuse(sim::Reply<JoinGroupAnswer>& reply, ErrorCode error, std::string member_id) {
    JoinGroupAnswer answer;
    answer.error = error;
    answer.member_id = std::move(member_id);
    reply(std::move(answer));
}

void refuse(sim::Reply<SyncGroupAnswer>& reply, ErrorCode error) {
    SyncGroupAnswer answer;
    answer.error = error;
    reply(std::move(answer));
}

} // namespace

void GroupCoordinator::join(JoinGroupRequest request, sim::Reply<JoinGroupAnswer> reply) {
    ErrorCode error = ErrorCode::none;
    Shard* const shard = find_shard(request.group, error);
    if (shard == nullptr) return refuse(reply, error, request.member_id);
    const ClusterOptions& options = home_.cluster.options();
    if (request.session_timeout < options.group_min_session_timeout ||
        request.session_timeout > options.group_max_session_timeout) {
        return refuse(reply, ErrorCode::invalid_session_timeout, request.member_id);
    }
    std::uint32_t ids_given = 0;
    if (ConsumerGroup* const other = find_consumer_group(*shard, request.group)) {
        if (!other->members.empty()) {
            return join(*shard, *other, std::move(request), std::move(reply));
        }
        ids_given = other->ids_given;
        shard->consumer_groups.erase(request.group);
    }
    if (has_share_members(*shard, request.group)) {
        return refuse(reply, ErrorCode::inconsistent_group_protocol, request.member_id);
    }
    Group* group = find_group(*shard, request.group);
    if (group == nullptr) {
        if (!request.member_id.empty()) {
            return refuse(reply, ErrorCode::unknown_member_id, request.member_id);
        }
        group = &shard->groups[request.group];
        group->name = request.group;
        group->ids_given = ids_given;
    }
    if (!group->has_room(request.member_id, static_cast<std::size_t>(options.group_max_size))) {
        return refuse(reply, ErrorCode::group_max_size_reached, request.member_id);
    }
    if (!group->accepts(request.protocols)) {
        return refuse(reply, ErrorCode::inconsistent_group_protocol, request.member_id);
    }
    if (request.member_id.empty() && !request.instance_id.empty()) {
        return join_static(*shard, *group, std::move(request), std::move(reply));
    }
    if (request.member_id.empty()) {
        // The leader epoch makes ids of one coordinator unlike those of the next.
        const std::string id = request.client_id + "-" + std::to_string(shard->epoch) + "-" +
                               std::to_string(++group->ids_given);
        const Instant end = home_.now() + request.session_timeout;
        group->pending.emplace(id, end);
        alarm_.need(end);
        return refuse(reply, ErrorCode::member_id_required, id);
    }
    if (group->pending.erase(request.member_id) > 0) {
        return admit(*shard, *group, std::move(request), std::move(reply));
    }
    error = group->check_member(request.member_id, request.instance_id);
    if (error != ErrorCode::none) return refuse(reply, error, request.member_id);
    GroupMemberState& member = *group->find(request.member_id);
    rejoin(*shard, *group, member, std::move(request), std::move(reply));
}

void GroupCoordinator::admit(Shard& shard, Group& group, JoinGroupRequest request,
                             sim::Reply<JoinGroupAnswer> reply) {
    GroupMemberState member;
    member.record.member_id = request.member_id;
    member.record.instance_id = std::move(request.instance_id);
    member.take(request);
    member.join = std::move(reply);
    member.is_new = true;
    member.session_end = home_.now() + new_member_join_timeout;
    alarm_.need(member.session_end);
    group.members.emplace(std::move(request.member_id), std::move(member));
    group.has_newcomer = true;
    if (group.phase == Group::Phase::preparing) {
        try_complete_join(shard, group);
    } else {
        prepare_rebalance(shard, group);
    }
}

void GroupCoordinator::rejoin(Shard& shard, Group& group, GroupMemberState& member,
                              JoinGroupRequest request, sim::Reply<JoinGroupAnswer> reply) {
    const bool is_same = member.record.protocols == request.protocols &&
                         member.record.topics == request.topics && member.owned == request.owned &&
                         member.owned_generation == request.owned_generation;
    const bool is_leader = group.leader == request.member_id;
    const bool stays = (group.phase == Group::Phase::completing && is_same) ||
                       (group.phase == Group::Phase::stable && is_same && !is_leader);
    touch(member);
    if (stays) return reply(joined(group, member));
    member.take(request);
    member.join = std::move(reply);
    if (group.phase == Group::Phase::preparing) {
        try_complete_join(shard, group);
    } else {
        prepare_rebalance(shard, group);
    }
}

void GroupCoordinator::prepare_rebalance(Shard& shard, Group& group) {
    if (group.phase == Group::Phase::completing) {
        for (auto& [id, member] : group.members) {
            if (!member.sync) continue; // not heard of since: its session goes on
            refuse(member.sync, ErrorCode::rebalance_in_progress);
            touch(member);
        }
    }
    const Duration timeout = group.rebalance_timeout();
    group.is_initial = group.phase == Group::Phase::empty;
    if (group.is_initial) {
        const Duration delay = home_.cluster.options().group_initial_rebalance_delay;
        group.initial_left = std::max(timeout - delay, Duration{});
        group.phase_end = home_.now() + delay;
        group.has_newcomer = false;
    } else {
        group.phase_end = home_.now() + timeout;
    }
    group.phase = Group::Phase::preparing;
    alarm_.need(group.phase_end);
    try_complete_join(shard, group);
}

void GroupCoordinator::try_complete_join(Shard& shard, Group& group) {
    if (!group.is_initial && group.pending.empty() && group.has_all_joined()) {
        complete_join(shard, group);
    }
}

void GroupCoordinator::complete_join(Shard& shard, Group& group) {
    std::erase_if(group.members, [this, &group](const auto& entry) {
        const bool is_late = !entry.second.join && !entry.second.is_static();
        if (is_late) tell_gone(group.name, entry.first, "it did not join in time");
        return is_late;
    });
    const auto joined_one =
        std::find_if(group.members.begin(), group.members.end(),
                     [](const auto& entry) { return static_cast<bool>(entry.second.join); });
    if (joined_one == group.members.end() && !group.members.empty()) {
        // Only static members, all away: wait for them until their sessions end.
        group.phase_end = home_.now() + group.rebalance_timeout();
        return alarm_.need(group.phase_end);
    }
    ++group.generation;
    sim::World& world = home_.world();
    world.record_as(&home_.process, events::generation_started, world.history().name(group.name),
                    group.generation, group.members.size());
    if (group.members.empty()) {
        group.phase = Group::Phase::empty;
        group.protocol.clear();
        group.leader.clear();
        group.empty_since = home_.timestamp_now();
        return store(shard, group.record({}));
    }
    const GroupMemberState* const leader = group.find(group.leader);
    if (leader == nullptr || !leader->join) group.leader = joined_one->first;
    group.protocol = group.vote();
    group.phase = Group::Phase::completing;
    group.phase_end = home_.now() + group.rebalance_timeout();
    alarm_.need(group.phase_end);
    for (auto& [id, member] : group.members) {
        member.is_new = false;
        member.has_synced = false;
        touch(member);
        member.join(joined(group, member), 64 + 32 * group.members.size());
    }
}

JoinGroupAnswer GroupCoordinator::joined(const Group& group, const GroupMemberState& member) const {
    JoinGroupAnswer answer;
    answer.generation = group.generation;
    answer.protocol = group.protocol;
    answer.leader = group.leader;
    answer.member_id = member.record.member_id;
    if (answer.leader != answer.member_id) return answer;
    for (const auto& [id, other] : group.members) {
        GroupMember& told = answer.members.emplace_back();
        told.member_id = id;
        told.topics = other.record.topics;
        told.owned = other.owned;
        told.owned_generation = other.owned_generation;
        told.instance_id = other.record.instance_id;
    }
    return answer;
}

void GroupCoordinator::sync(SyncGroupRequest request, sim::Reply<SyncGroupAnswer> reply) {
    ErrorCode error = ErrorCode::none;
    Shard* const shard = find_shard(request.group, error);
    if (shard == nullptr) return refuse(reply, error);
    if (ConsumerGroup* const other = find_consumer_group(*shard, request.group)) {
        return sync(*other, request, std::move(reply));
    }
    Group* const group = find_group(*shard, request.group);
    if (group == nullptr) return refuse(reply, ErrorCode::unknown_member_id);
    error = group->check_member(request.member_id, request.instance_id);
    if (error != ErrorCode::none) return refuse(reply, error);
    GroupMemberState* const member = group->find(request.member_id);
    if (request.generation != group->generation) {
        return refuse(reply, ErrorCode::illegal_generation);
    }
    switch (group->phase) {
    case Group::Phase::empty: return refuse(reply, ErrorCode::unknown_member_id);
    case Group::Phase::preparing: return refuse(reply, ErrorCode::rebalance_in_progress);
    case Group::Phase::completing: {
        member->sync = std::move(reply);
        member->has_synced = true;
        if (group->leader != request.member_id) return;
        return store(*shard, group->record(request.assignments));
    }
    case Group::Phase::stable: {
        member->has_synced = true;
        touch(*member);
        SyncGroupAnswer answer;
        answer.partitions = member->record.assignment;
        return reply(std::move(answer));
    }
    }
}

void GroupCoordinator::stored(Group& group, const GroupRecord& record) {
    group.phase = Group::Phase::stable;
    for (const MemberRecord& written : record.members) {
        GroupMemberState* const member = group.find(written.member_id);
        if (member == nullptr) continue;
        member->record.assignment = written.assignment;
        if (!member->sync) continue;
        touch(*member);
        SyncGroupAnswer answer;
        answer.partitions = written.assignment;
        member->sync(std::move(answer));
    }
}

ErrorAnswer GroupCoordinator::heartbeat(const HeartbeatRequest& request) {
    ErrorAnswer answer;
    Shard* const shard = find_shard(request.group, answer.error);
    if (shard == nullptr) return answer;
    if (ConsumerGroup* const other = find_consumer_group(*shard, request.group)) {
        return heartbeat(*other, request);
    }
    Group* const group = find_group(*shard, request.group);
    answer.error = group == nullptr ? ErrorCode::unknown_member_id
                                    : group->check_member(request.member_id, request.instance_id);
    if (answer.error != ErrorCode::none) return answer;
    if (request.generation != group->generation) {
        answer.error = ErrorCode::illegal_generation;
    } else {
        touch(*group->find(request.member_id));
        if (group->phase == Group::Phase::preparing) {
            answer.error = ErrorCode::rebalance_in_progress;
        }
    }
    return answer;
}

ErrorAnswer GroupCoordinator::leave(const LeaveGroupRequest& request) {
    ErrorAnswer answer;
    Shard* const shard = find_shard(request.group, answer.error);
    if (shard == nullptr) return answer;
    if (ConsumerGroup* const other = find_consumer_group(*shard, request.group)) {
        return leave(*shard, *other, request);
    }
    Group* const group = find_group(*shard, request.group);
    if (group == nullptr) {
        answer.error = ErrorCode::unknown_member_id;
    } else if (group->pending.erase(request.member_id) != 0) {
        if (group->phase == Group::Phase::preparing) try_complete_join(*shard, *group);
    } else {
        const GroupMemberState* const named = group->find_instance(request.instance_id);
        const bool by_instance = request.member_id.empty() && named != nullptr;
        const std::string id = by_instance ? named->record.member_id : request.member_id;
        answer.error = group->check_member(id, request.instance_id);
        if (answer.error == ErrorCode::none) remove(*shard, *group, id, "it left");
    }
    return answer;
}

void GroupCoordinator::remove(Shard& shard, Group& group, std::string_view member_id,
                              std::string_view why) {
    const auto found = group.members.find(member_id);
    tell_gone(group.name, member_id, why);
    refuse(found->second.join, ErrorCode::unknown_member_id, found->first);
    refuse(found->second.sync, ErrorCode::unknown_member_id);
    group.members.erase(found);
    if (group.phase == Group::Phase::preparing) {
        try_complete_join(shard, group);
    } else {
        prepare_rebalance(shard, group);
    }
}

void GroupCoordinator::tell_gone(std::string_view group, std::string_view member,
                                 std::string_view why) const {
    sim::World& world = home_.world();
    sim::History& history = world.history();
    const std::uint64_t name = history.name(group);
    const std::uint64_t id = history.text(member);
    const std::uint64_t reason = history.name(why);
    world.record_as(&home_.process, events::member_gone, name, id, reason);
}

void GroupCoordinator::touch(GroupMemberState& member) {
    member.session_end = home_.now() + member.record.session_timeout;
    alarm_.need(member.session_end);
}

void GroupCoordinator::tick() {
    for (const auto& [partition, shard] : shards_.all()) {
        for (auto& [name, group] : shard->groups)
            tick(*shard, group);
        for (auto next = shard->consumer_groups.begin(); next != shard->consumer_groups.end();)
            tick(*shard, (next++)->second); // which may be a classic group then
        for (auto& [name, group] : shard->share_groups)
            tick(*shard, group);
        if (!shard->is_loaded) continue;
        if (shard->cleanup <= home_.now()) clean_up(*shard);
        alarm_.need(shard->cleanup);
    }
}

void GroupCoordinator::tick(Shard& shard, Group& group) {
    const Instant now = home_.now();
    if (std::erase_if(group.pending, [now](const auto& entry) { return entry.second <= now; }) >
            0 &&
        group.phase == Group::Phase::preparing) {
        try_complete_join(shard, group);
    }
    std::vector<std::string> gone;
    for (const auto& [id, member] : group.members) {
        if (member.session_end <= now && !member.is_waiting()) gone.push_back(id);
    }
    for (const std::string& id : gone) {
        const GroupMemberState* const member = group.find(id);
        const bool is_gone =
            member != nullptr && member->session_end <= now && !member->is_waiting();
        if (is_gone) remove(shard, group, id, "its session is over");
    }
    if (group.phase == Group::Phase::preparing && group.phase_end <= now) {
        if (group.is_initial && group.has_newcomer && group.initial_left > Duration{}) {
            const Duration delay =
                std::min(home_.cluster.options().group_initial_rebalance_delay, group.initial_left);
            group.initial_left -= delay;
            group.has_newcomer = false;
            group.phase_end = now + delay;
        } else {
            complete_join(shard, group);
        }
    }
    const bool syncs =
        group.phase == Group::Phase::completing || group.phase == Group::Phase::stable;
    if (syncs && group.phase_end <= now && !group.has_all_synced()) {
        std::erase_if(group.members, [this, &group](const auto& entry) {
            if (entry.second.has_synced) return false;
            tell_gone(group.name, entry.first, "it did not sync in time");
            return true;
        });
        prepare_rebalance(shard, group);
    }
    // Whoever waits with a request is looked at again when that has been answered.
    for (const auto& [id, end] : group.pending)
        alarm_.need(end);
    for (const auto& [id, member] : group.members) {
        if (!member.is_waiting()) alarm_.need(member.session_end);
    }
    if (group.phase == Group::Phase::preparing || !group.has_all_synced()) {
        if (group.phase_end > now) alarm_.need(group.phase_end);
    }
}

} // namespace crier::broker::kafka
