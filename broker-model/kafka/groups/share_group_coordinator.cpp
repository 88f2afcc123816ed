// Share groups at their coordinator: heartbeats of members, and the state of partitions that their
// leaders keep here. Source: Kafka GroupMetadataManager.shareGroupHeartbeat, ShareCoordinatorShard;
// KIP-932.

#include "broker-model/events.hpp"
#include "broker-model/kafka/groups/group_coordinator.hpp"

namespace crier::broker::kafka {

void GroupCoordinator::share_heartbeat(const ShareGroupHeartbeatRequest& request,
                                       sim::Reply<ShareGroupHeartbeatAnswer> reply) {
    ShareGroupHeartbeatAnswer answer;
    const auto refuse = [&](ErrorCode error) {
        answer.error = error;
        reply(std::move(answer));
    };
    ErrorCode error = ErrorCode::none;
    Shard* const shard = find_shard(request.group, error);
    if (shard == nullptr) return refuse(error);
    const bool is_other = find_group(*shard, request.group) != nullptr ||
                          find_consumer_group(*shard, request.group) != nullptr;
    const auto known = shard->share_groups.find(request.group);
    if (is_other || (known == shard->share_groups.end() && request.member_epoch != 0)) {
        return refuse(ErrorCode::group_id_not_found);
    }
    if (request.member_id.empty() || (request.member_epoch == 0 && !request.topics)) {
        return refuse(ErrorCode::invalid_request);
    }
    ShareGroup& group = shard->share_groups[request.group];
    group.name = request.group;
    auto member = group.members.find(request.member_id);
    const ShareLimits& limits = home_.cluster.options().share;
    if (member == group.members.end()) {
        if (request.member_epoch != 0) return refuse(ErrorCode::unknown_member_id);
        if (group.members.size() >= limits.max_size) {
            return refuse(ErrorCode::group_max_size_reached);
        }
    } else if (request.member_epoch > member->second.epoch) {
        return refuse(ErrorCode::fenced_member_epoch);
    }
    answer.heartbeat_interval = limits.heartbeat_interval;
    if (request.member_epoch < 0) {
        remove(group, request.member_id);
        answer.member_epoch = request.member_epoch;
        return persist(*shard, group, std::move(answer), std::move(reply));
    }
    const bool is_new = member == group.members.end();
    if (is_new) member = group.members.try_emplace(request.member_id).first;
    const bool wants_other = is_new || (request.topics && *request.topics != member->second.topics);
    if (request.topics) member->second.topics = *request.topics;
    const TopicView topics(home_.cluster, *replicas_->metadata());
    std::vector<std::uint32_t> layout = group.layout_in(topics);
    if (wants_other || layout != group.layout) {
        group.layout = std::move(layout);
        ++group.epoch;
        sim::World& world = home_.world();
        world.record_as(&home_.process, events::generation_started,
                        world.history().name(group.name), group.epoch, group.members.size());
    }
    const bool has_news = request.member_epoch == 0 || member->second.epoch != group.epoch;
    member->second.epoch = group.epoch;
    member->second.session_end = home_.now() + limits.session_timeout;
    alarm_.need(member->second.session_end);
    answer.member_epoch = group.epoch;
    if (!has_news) return reply(std::move(answer));
    answer.assignment = group.assignment(topics, request.member_id);
    persist(*shard, group, std::move(answer), std::move(reply));
}

bool GroupCoordinator::has_share_members(const Shard& shard, std::string_view group) {
    const auto found = shard.share_groups.find(group);
    return found != shard.share_groups.end() && !found->second.members.empty();
}

void GroupCoordinator::remove(ShareGroup& group, const std::string& member_id) {
    group.members.erase(member_id);
    ++group.epoch;
}

void GroupCoordinator::persist(Shard& shard, const ShareGroup& group,
                               ShareGroupHeartbeatAnswer answer,
                               sim::Reply<ShareGroupHeartbeatAnswer> reply) {
    struct Waiting {
        sim::Reply<ShareGroupHeartbeatAnswer> reply;
        ShareGroupHeartbeatAnswer answer;
    };
    auto held = std::make_shared<Waiting>();
    held->reply = std::move(reply);
    held->answer = std::move(answer);
    append(shard, write_record(group), [held](ErrorCode error) {
        if (error != ErrorCode::none) held->answer.error = as_coordinator_error(error);
        held->reply(std::move(held->answer));
    });
}

void GroupCoordinator::tick(Shard& shard, ShareGroup& group) {
    std::vector<std::string> gone;
    for (const auto& [id, member] : group.members) {
        if (member.session_end <= home_.now()) gone.push_back(id);
    }
    for (const std::string& id : gone)
        remove(group, id);
    if (!gone.empty()) {
        persist(shard, group, {}, sim::Reply<ShareGroupHeartbeatAnswer>());
    }
    for (const auto& [id, member] : group.members)
        alarm_.need(member.session_end);
}

ReadShareStateAnswer GroupCoordinator::read_share_state(const ReadShareStateRequest& request) {
    ReadShareStateAnswer answer;
    Shard* const shard = find_shard(request.group, answer.error);
    if (shard == nullptr) return answer;
    ShareStateRecord& kept = shard->share_states[{request.group, request.partition}];
    if (request.leader_epoch < kept.leader_epoch) {
        answer.error = ErrorCode::fenced_state_epoch;
        return answer;
    }
    kept.leader_epoch = request.leader_epoch; // whoever leads since then may write
    answer.state = kept.state;
    return answer;
}

void GroupCoordinator::write_share_state(WriteShareStateRequest request,
                                         sim::Reply<ErrorAnswer> reply) {
    ErrorAnswer answer;
    Shard* const shard = find_shard(request.group, answer.error);
    if (shard == nullptr) return reply(answer);
    ShareStateRecord& kept = shard->share_states[{request.group, request.partition}];
    if (request.leader_epoch < kept.leader_epoch) {
        answer.error = ErrorCode::fenced_state_epoch;
        return reply(answer);
    }
    kept.group = request.group;
    kept.partition = request.partition;
    kept.leader_epoch = request.leader_epoch;
    kept.state = std::move(request.state);
    auto held = std::make_shared<sim::Reply<ErrorAnswer>>(std::move(reply));
    append(*shard, write_record(kept), [held](ErrorCode error) {
        ErrorAnswer done;
        done.error = as_coordinator_error(error);
        (*held)(done);
    });
}

} // namespace crier::broker::kafka
