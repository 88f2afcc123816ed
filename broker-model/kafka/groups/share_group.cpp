#include "broker-model/kafka/groups/share_group.hpp"

#include "broker-model/kafka/cluster.hpp"

#include <algorithm>
#include <set>

namespace crier::broker::kafka {

namespace {

std::set<TopicId> topics_of(const ShareGroup& group) {
    std::set<TopicId> topics;
    for (const auto& [id, member] : group.members)
        topics.insert(member.topics.begin(), member.topics.end());
    return topics;
}

} // namespace

std::vector<std::uint32_t> ShareGroup::layout_in(const TopicView& view) const {
    std::vector<std::uint32_t> now;
    for (const TopicId topic : topics_of(*this)) {
        now.push_back(topic);
        now.push_back(static_cast<std::uint32_t>(view.partition_count(topic)));
    }
    return now;
}

// Topic by topic, its partitions and its members side by side, the shorter row again and again.
std::vector<PartitionId> ShareGroup::assignment(const TopicView& view,
                                                std::string_view member_id) const {
    std::vector<PartitionId> given;
    for (const TopicId topic : topics_of(*this)) {
        std::vector<std::string_view> takers;
        for (const auto& [id, member] : members) {
            if (std::binary_search(member.topics.begin(), member.topics.end(), topic)) {
                takers.emplace_back(id);
            }
        }
        const auto partitions = static_cast<std::size_t>(view.partition_count(topic));
        if (partitions == 0) continue;
        for (std::size_t at = 0; at < std::max(partitions, takers.size()); ++at) {
            if (takers[at % takers.size()] != member_id) continue;
            const auto index = static_cast<std::int32_t>(at % partitions);
            given.push_back(view.cluster().partition(topic, index));
        }
    }
    std::sort(given.begin(), given.end());
    return given;
}

} // namespace crier::broker::kafka
