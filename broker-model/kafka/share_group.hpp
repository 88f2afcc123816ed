#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <map>
#include <string>
#include <vector>

// A share group as its coordinator holds it: members, and who should fetch what. Partitions are not
// owned, so there is nothing to hand over. Source: Kafka ShareGroup, SimpleAssignor.

namespace crier::broker::kafka {

class Cluster;

struct ShareGroupMember {
    std::vector<TopicId> topics; ///< Sorted.
    std::int32_t epoch = 0;      ///< Of the group, as it was told last.
    Instant session_end{};       ///< Not in the log.
};

struct ShareGroup {
    std::string name;
    std::int32_t epoch = 0; ///< Moves with every change of members and subscriptions.
    std::map<std::string, ShareGroupMember, std::less<>> members;

    /// Returns what the member should fetch; sorted. Every partition goes to somebody, and
    /// everybody gets one if there is one of his topics.
    [[nodiscard]] std::vector<PartitionId> assignment(const Cluster& cluster,
                                                      std::string_view member_id) const;
};

} // namespace crier::broker::kafka
