#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <functional>

// Who leads a partition, and who counts as in sync, when brokers come and go. Pure.
// Source: Kafka PartitionChangeBuilder.

namespace crier::broker::kafka {

struct ElectionRules {
    bool unclean = false; ///< unclean.leader.election.enable
    /// KIP-966: who leaves an ISR that is below its minimum holds all that is stored, and may lead
    /// when nobody in sync is left. Without it the last member stays in the ISR even when it is
    /// gone, and it alone may lead then.
    bool eligible_leader_replicas = false;
    std::int32_t min_insync = 1; ///< Effective.
};

using IsLive = std::function<bool(BrokerId)>;

/// Takes `gone` (0: nobody) out of the ISR and elects a leader where there must be another.
/// **Returns** whether anything changed; then the partition epoch moved, and the leader epoch if
/// the leader is another.
bool elect(PartitionState& state, BrokerId gone, const ElectionRules& rules, const IsLive& is_live);

/// Makes the first replica the leader if it is in sync. **Returns** as `elect`.
bool elect_preferred(PartitionState& state, const IsLive& is_live);

/// The ISR was `before`: who left it becomes eligible while it is below its minimum.
void note_eligible(PartitionState& state, const std::vector<BrokerId>& before,
                   const ElectionRules& rules);

/// A broker came back after an unclean end: it may have lost its log's tail.
/// **Returns** whether it was in sync or eligible.
bool forget_unclean(PartitionState& state, BrokerId broker, const ElectionRules& rules);

} // namespace crier::broker::kafka
