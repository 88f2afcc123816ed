#include "broker-model/kafka/assignors/assignors.hpp"

#include <algorithm>

namespace crier::broker::kafka {

std::vector<MemberAssignment> assign_round_robin(const TopicView& topics,
                                                 const std::vector<GroupMember>& members) {
    std::vector<MemberAssignment> assignments(members.size());
    const std::vector<std::size_t> order = member_order(members);
    for (std::size_t at = 0; at < members.size(); ++at)
        assignments[at].member_id = members[at].member_id;
    std::size_t turn = 0;
    const auto takes = [&](std::size_t rank, TopicId topic) {
        const std::vector<TopicId>& wanted = members[order[rank]].topics;
        return std::find(wanted.begin(), wanted.end(), topic) != wanted.end();
    };
    for (const PartitionId partition : partition_order(topics, members)) {
        while (!takes(turn, topics.cluster().info(partition).topic))
            turn = (turn + 1) % members.size();
        assignments[order[turn]].partitions.push_back(partition);
        turn = (turn + 1) % members.size();
    }
    for (MemberAssignment& assignment : assignments) {
        std::sort(assignment.partitions.begin(), assignment.partitions.end());
    }
    return assignments;
}

} // namespace crier::broker::kafka
