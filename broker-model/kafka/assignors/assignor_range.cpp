#include "broker-model/kafka/assignors/assignors.hpp"

#include <algorithm>
#include <map>

namespace crier::broker::kafka {

std::vector<MemberAssignment> assign_range(const TopicView& topics,
                                           const std::vector<GroupMember>& members) {
    std::vector<MemberAssignment> assignments(members.size());
    const std::vector<std::size_t> order = member_order(members);
    for (std::size_t at = 0; at < members.size(); ++at)
        assignments[at].member_id = members[at].member_id;
    std::map<TopicId, std::vector<std::size_t>> subscribers;
    for (const std::size_t member : order) {
        for (const TopicId topic : members[member].topics)
            subscribers[topic].push_back(member);
    }
    for (const auto& [topic, takers] : subscribers) {
        const auto count = static_cast<std::size_t>(topics.partition_count(topic));
        const std::size_t share = count / takers.size();
        const std::size_t extra = count % takers.size();
        std::int32_t next = 0;
        for (std::size_t rank = 0; rank < takers.size(); ++rank) {
            const std::size_t size = share + (rank < extra ? 1 : 0);
            for (std::size_t taken = 0; taken < size; ++taken) {
                assignments[takers[rank]].partitions.push_back(
                    topics.cluster().partition(topic, next++));
            }
        }
    }
    for (MemberAssignment& assignment : assignments) {
        std::sort(assignment.partitions.begin(), assignment.partitions.end());
    }
    return assignments;
}

} // namespace crier::broker::kafka
