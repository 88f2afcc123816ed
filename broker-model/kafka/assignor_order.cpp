#include "broker-model/kafka/assignors.hpp"

#include <algorithm>
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

} // namespace crier::broker::kafka
