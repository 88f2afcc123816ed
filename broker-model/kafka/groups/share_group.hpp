#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <map>
#include <string>
#include <vector>

// A share group as its coordinator holds it: members, and who should fetch what. Partitions are not
// owned, so there is nothing to hand over. Source: Kafka ShareGroup, SimpleAssignor.

namespace crier::broker::kafka {

class TopicView;

struct ShareGroupMember {
    std::vector<TopicId> topics; ///< Sorted.
    std::int32_t epoch = 0;      ///< Of the group, as it was told last.
    Instant session_end{};       ///< Not in the log.
};

struct ShareGroup {
    std::string name;
    std::int32_t epoch = 0; ///< Moves with every change of members and subscriptions.
    std::map<std::string, ShareGroupMember, std::less<>> members;
    std::vector<std::uint32_t> layout; ///< Topics and their partitions, as of the epoch.

    /// Returns the topics that members want, each followed by how many partitions it has.
    [[nodiscard]] std::vector<std::uint32_t> layout_in(const TopicView& view) const;

    /// Returns what the member should fetch; sorted. Every partition goes to somebody, and
    /// everybody gets one if there is one of his topics.
    [[nodiscard]] std::vector<PartitionId> assignment(const TopicView& view,
                                                      std::string_view member_id) const;
};

} // namespace crier::broker::kafka
