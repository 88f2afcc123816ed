#pragma once

#include "broker-model/kafka/cluster.hpp"

#include <vector>

namespace crier::broker::kafka {

/// Name of the range assignor in the group protocol.
inline constexpr const char* range_protocol = "range";

/// Shares out the partitions of every topic that somebody subscribed to: topic by topic,
/// consecutive partitions to the topic's members in the order of their ids, the first ones getting
/// one more.
/// **Shape**: one entry per member, in the order given; partitions sorted.
/// **Source**: Kafka RangeAssignor (without racks and static members).
[[nodiscard]] std::vector<MemberAssignment> assign_range(const Cluster& cluster,
                                                         const std::vector<GroupMember>& members);

} // namespace crier::broker::kafka
