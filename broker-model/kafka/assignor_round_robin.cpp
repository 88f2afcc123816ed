#include "broker-model/kafka/assignors.hpp"

#include <algorithm>
#include <set>

namespace crier::broker::kafka {

std::vector<MemberAssignment> assign_round_robin(const Cluster& cluster,
                                                 const std::vector<GroupMember>& members) {
    std::vector<MemberAssignment> assignments(members.size());
    const std::vector<std::size_t> order = member_order(members);
    std::set<TopicId> topics;
    for (std::size_t at = 0; at < members.size(); ++at) {
        assignments[at].member_id = members[at].member_id;
        topics.insert(members[at].topics.begin(), members[at].topics.end());
    }
    std::size_t turn = 0;
    const auto takes = [&](std::size_t rank, TopicId topic) {
        const std::vector<TopicId>& wanted = members[order[rank]].topics;
        return std::find(wanted.begin(), wanted.end(), topic) != wanted.end();
    };
    for (const TopicId topic : topics) { // ids ascend with the names that the scenario gives them
        for (std::int32_t index = 0; index < cluster.topic(topic).partitions; ++index) {
            while (!takes(turn, topic))
                turn = (turn + 1) % members.size();
            assignments[order[turn]].partitions.push_back(cluster.partition(topic, index));
            turn = (turn + 1) % members.size();
        }
    }
    for (MemberAssignment& assignment : assignments) {
        std::sort(assignment.partitions.begin(), assignment.partitions.end());
    }
    return assignments;
}

} // namespace crier::broker::kafka
