#pragma once

#include "broker-model/kafka/cluster.hpp"

#include <string_view>
#include <vector>

// How the leader of a group shares out partitions, in the ways that the Java client knows, without
// racks. All of them: one entry per member, in the order given; partitions sorted; a partition of a
// topic that somebody subscribed to has exactly one owner, a subscriber of the topic (while
// cooperative-sticky moves it, none).

namespace crier::broker::kafka {

/// Returns the places of members in the order in which range and round-robin serve them: static
/// members by instance id, then the others by member id. **Source**: Kafka
/// AbstractPartitionAssignor.MemberInfo.
[[nodiscard]] std::vector<std::size_t> member_order(const std::vector<GroupMember>& members);

/// Returns the partitions of all topics that somebody subscribed to, by the topics' names and then
/// by their numbers: as round-robin and sticky go through them. **Source**: Kafka
/// RoundRobinAssignor .allPartitionsSorted.
[[nodiscard]] std::vector<PartitionId> partition_order(const TopicView& topics,
                                                       const std::vector<GroupMember>& members);

/// Topic by topic, consecutive partitions to the topic's members in `member_order`, the first ones
/// getting one more. **Source**: Kafka RangeAssignor.
[[nodiscard]] std::vector<MemberAssignment> assign_range(const TopicView& topics,
                                                         const std::vector<GroupMember>& members);

/// All partitions of all topics one after another to the members in `member_order`, passing over
/// those that did not subscribe. **Source**: Kafka RoundRobinAssignor.
[[nodiscard]] std::vector<MemberAssignment>
assign_round_robin(const TopicView& topics, const std::vector<GroupMember>& members);

/// As even as subscriptions allow, and then as much as possible where it was: what members say that
/// they own stays with them, where two claim it with the later generation, or with nobody when that
/// is the same. Where Kafka's choice depends on the order of a hash map, the lower id is preferred.
/// **Source**: Kafka AbstractStickyAssignor.
[[nodiscard]] std::vector<MemberAssignment> assign_sticky(const TopicView& topics,
                                                          const std::vector<GroupMember>& members);

/// As sticky; but what would move from a member that claims it to another is given to nobody this
/// time: its owner gives it back and asks for another round. **Source**: Kafka
/// CooperativeStickyAssignor, KIP-429.
[[nodiscard]] std::vector<MemberAssignment>
assign_cooperative_sticky(const TopicView& topics, const std::vector<GroupMember>& members);

/// An assignor and its name in the group protocol.
struct AssignorInfo {
    std::string_view protocol;
    std::vector<MemberAssignment> (*assign)(const TopicView&, const std::vector<GroupMember>&);
};

[[nodiscard]] AssignorInfo assignor_info(crier::kafka::Assignor assignor);

/// Returns the assignor that a group's vote chose. **Requires** one of those names.
[[nodiscard]] AssignorInfo find_assignor(std::string_view protocol);

} // namespace crier::broker::kafka
