#include "broker-model/kafka/groups/consumer_group.hpp"

#include "broker-model/kafka/assignors/assignors.hpp"

#include <algorithm>

namespace crier::broker::kafka {

namespace {

constexpr std::string_view default_assignor = "uniform"; // the first of group.consumer.assignors

bool contains(const std::vector<PartitionId>& sorted, PartitionId partition) {
    return std::binary_search(sorted.begin(), sorted.end(), partition);
}

} // namespace

bool is_server_assignor(std::string_view name) {
    return name == "uniform" || name == "range";
}

std::vector<PartitionId> ConsumerGroupMember::partitions() const {
    std::vector<PartitionId> all;
    for (const auto& [partition, since] : assigned)
        all.push_back(partition);
    return all;
}

Instant ConsumerGroupMember::deadline() const {
    return std::min({session_end, revocation_end, join_end, sync_end});
}

ConsumerGroupMember* ConsumerGroup::find(std::string_view member_id) {
    const auto found = members.find(member_id);
    return found == members.end() ? nullptr : &found->second;
}

ConsumerGroupMember* ConsumerGroup::find_instance(std::string_view instance_id) {
    for (auto& [id, member] : members) {
        if (!member.instance_id.empty() && member.instance_id == instance_id) return &member;
    }
    return nullptr;
}

std::string ConsumerGroup::preferred_assignor() const {
    std::map<std::string, std::size_t> votes;
    for (const auto& [id, member] : members) {
        if (!member.assignor.empty()) ++votes[member.assignor];
    }
    const auto winner =
        std::max_element(votes.begin(), votes.end(), [](const auto& one, const auto& other) {
            return one.second < other.second;
        });
    return winner == votes.end() ? std::string(default_assignor) : winner->first;
}

// Uniform: even first, then as much as possible where it is. What members have had before is their
// former target, not what they still hold.
void ConsumerGroup::make_target(const TopicView& topics, std::string_view assignor) {
    std::vector<GroupMember> takers;
    for (const auto& [id, member] : members) {
        GroupMember& taker = takers.emplace_back();
        taker.member_id = id;
        taker.instance_id = member.instance_id;
        taker.topics = member.topics;
        if (const auto before = target.find(id); before != target.end()) {
            taker.owned = before->second;
        }
    }
    target.clear();
    target_epoch = epoch;
    if (takers.empty()) return;
    for (MemberAssignment& share :
         assignor == "range" ? assign_range(topics, takers) : assign_sticky(topics, takers)) {
        target.emplace(std::move(share.member_id), std::move(share.partitions));
    }
}

// Every partition of a topic that somebody wants is somebody's, so the target tells how many there
// were.
bool ConsumerGroup::fits(const TopicView& topics) const {
    std::map<TopicId, std::int32_t> counts;
    for (const auto& [id, member] : members) {
        for (const TopicId topic : member.topics)
            counts.emplace(topic, 0);
    }
    for (const auto& [id, partitions] : target) {
        for (const PartitionId partition : partitions)
            ++counts[topics.cluster().info(partition).topic];
    }
    return std::all_of(counts.begin(), counts.end(), [&topics](const auto& entry) {
        return entry.second == topics.partition_count(entry.first);
    });
}

bool ConsumerGroup::is_free(PartitionId partition, const ConsumerGroupMember& taker) const {
    return std::none_of(members.begin(), members.end(), [&](const auto& entry) {
        const ConsumerGroupMember& other = entry.second;
        if (other.member_id == taker.member_id) return false;
        return other.assigned.contains(partition) || contains(other.revoking, partition);
    });
}

void ConsumerGroup::reconcile(ConsumerGroupMember& member, const std::vector<PartitionId>* owned) {
    using State = ConsumerGroupMember::State;
    const auto holds_any = [owned](const std::vector<PartitionId>& taken) {
        return owned == nullptr ||
               std::any_of(taken.begin(), taken.end(), [owned](PartitionId partition) {
                   return std::find(owned->begin(), owned->end(), partition) != owned->end();
               });
    };
    if (member.state == State::stable && member.epoch == target_epoch) return;
    if (member.state == State::unrevoked && holds_any(member.revoking)) return;

    const auto found = target.find(member.member_id);
    const std::vector<PartitionId> wanted =
        found == target.end() ? std::vector<PartitionId>() : found->second;
    std::map<PartitionId, std::int32_t> kept;
    std::vector<PartitionId> taken;
    for (const auto& [partition, since] : member.assigned) {
        if (contains(wanted, partition)) {
            kept.emplace(partition, since);
        } else {
            taken.push_back(partition);
        }
    }
    member.assigned = std::move(kept);
    if (!taken.empty() && holds_any(taken)) {
        member.state = State::unrevoked; // and stays in its epoch
        member.revoking = std::move(taken);
        return;
    }
    bool waits = false;
    for (const PartitionId partition : wanted) {
        if (member.assigned.contains(partition)) continue;
        if (is_free(partition, member)) {
            member.assigned.emplace(partition, target_epoch);
        } else {
            waits = true;
        }
    }
    member.revoking.clear();
    member.state = waits ? State::unreleased : State::stable;
    if (member.epoch == target_epoch) return;
    member.previous_epoch = member.epoch;
    member.epoch = target_epoch;
}

bool ConsumerGroup::is_all_classic() const {
    return !members.empty() && std::all_of(members.begin(), members.end(), [](const auto& entry) {
        return entry.second.classic.has_value();
    });
}

bool ConsumerGroup::accepts(const std::vector<std::string>& protocols) const {
    return std::any_of(protocols.begin(), protocols.end(), [this](const std::string& one) {
        return std::all_of(members.begin(), members.end(), [&one](const auto& entry) {
            const std::optional<ClassicMember>& classic = entry.second.classic;
            return !classic || std::find(classic->protocols.begin(), classic->protocols.end(),
                                         one) != classic->protocols.end();
        });
    });
}

bool ConsumerGroup::must_rejoin(const ConsumerGroupMember& member) const {
    using State = ConsumerGroupMember::State;
    if (member.epoch < target_epoch || member.state == State::unrevoked) return true;
    if (member.state == State::stable) return false;
    const auto wanted = target.find(member.member_id);
    return wanted == target.end() ||
           std::all_of(wanted->second.begin(), wanted->second.end(), [&](PartitionId partition) {
               return member.assigned.contains(partition) || is_free(partition, member);
           });
}

ErrorCode ConsumerGroup::check_epoch(const ConsumerGroupMember& member, std::int32_t epoch,
                                     const std::vector<PartitionId>* owned) {
    if (epoch > member.epoch) return ErrorCode::fenced_member_epoch;
    if (epoch == member.epoch) return ErrorCode::none;
    const bool has_only_its_own =
        owned != nullptr &&
        std::all_of(owned->begin(), owned->end(), [&member](PartitionId partition) {
            return member.assigned.contains(partition);
        });
    return epoch == member.previous_epoch && has_only_its_own ? ErrorCode::none
                                                              : ErrorCode::fenced_member_epoch;
}

} // namespace crier::broker::kafka
