#include "broker-model/kafka/assignors/assignors.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace crier::broker::kafka {

std::vector<std::size_t> member_order(const std::vector<GroupMember>& members) {
    std::vector<std::size_t> order(members.size());
    for (std::size_t at = 0; at < members.size(); ++at)
        order[at] = at;
    const auto key = [&members](std::size_t at) {
        const GroupMember& member = members[at];
        return std::tie(member.instance_id, member.member_id);
    };
    std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
        const bool is_left_static = !members[left].instance_id.empty();
        const bool is_right_static = !members[right].instance_id.empty();
        if (is_left_static != is_right_static) return is_left_static;
        return key(left) < key(right);
    });
    return order;
}

std::vector<PartitionId> partition_order(const TopicView& topics,
                                         const std::vector<GroupMember>& members) {
    std::set<TopicId> subscribed;
    for (const GroupMember& member : members)
        subscribed.insert(member.topics.begin(), member.topics.end());
    const Cluster& cluster = topics.cluster();
    std::vector<TopicId> by_name(subscribed.begin(), subscribed.end());
    std::sort(by_name.begin(), by_name.end(), [&cluster](TopicId left, TopicId right) {
        return cluster.topic(left).name < cluster.topic(right).name;
    });
    std::vector<PartitionId> order;
    for (const TopicId topic : by_name) {
        for (std::int32_t index = 0; index < topics.partition_count(topic); ++index)
            order.push_back(cluster.partition(topic, index));
    }
    return order;
}

} // namespace crier::broker::kafka
