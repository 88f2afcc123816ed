#include "broker-model/kafka/share_group.hpp"

#include "broker-model/kafka/cluster.hpp"

#include <algorithm>
#include <set>

namespace crier::broker::kafka {

// Topic by topic, its partitions and its members side by side, the shorter row again and again.
std::vector<PartitionId> ShareGroup::assignment(const Cluster& cluster,
                                                std::string_view member_id) const {
    std::set<TopicId> topics;
    for (const auto& [id, member] : members)
        topics.insert(member.topics.begin(), member.topics.end());
    std::vector<PartitionId> given;
    for (const TopicId topic : topics) {
        std::vector<std::string_view> takers;
        for (const auto& [id, member] : members) {
            if (std::binary_search(member.topics.begin(), member.topics.end(), topic)) {
                takers.emplace_back(id);
            }
        }
        const auto partitions = static_cast<std::size_t>(cluster.topic(topic).partitions);
        for (std::size_t at = 0; at < std::max(partitions, takers.size()); ++at) {
            if (takers[at % takers.size()] != member_id) continue;
            const auto index = static_cast<std::int32_t>(at % partitions);
            given.push_back(cluster.partition(topic, index));
        }
    }
    std::sort(given.begin(), given.end());
    return given;
}

} // namespace crier::broker::kafka
