#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <functional>

// Who leads a partition, and who counts as in sync, when brokers come and go. Pure.

namespace crier::broker::kafka {

/// Takes `gone` (0: nobody) out of the ISR and elects a leader where there must be another.
/// The last member stays in the ISR even when it is gone, and it alone may lead then; unless
/// `unclean`.
/// **Returns** whether anything changed; then the partition epoch moved, and the leader epoch if
/// the leader is another. **Source**: Kafka PartitionChangeBuilder, without eligible leader
/// replicas.
bool elect(PartitionState& state, BrokerId gone, bool unclean,
           const std::function<bool(BrokerId)>& is_live);

} // namespace crier::broker::kafka
