#pragma once

#include "broker-model/kafka/broker_home.hpp"
#include "broker-model/kafka/replica.hpp"

// What the coordinators of groups and of transactions have in common: their books are partitions of
// internal topics.

namespace crier::broker::kafka {

/// Returns an error of a coordinator's own log as its clients are told it. After
/// COORDINATOR_NOT_AVAILABLE the write may have been done. **Source**: Kafka CoordinatorRuntime,
/// OffsetMetadataManager, TransactionStateManager.appendTransactionToLog.
[[nodiscard]] ErrorCode as_coordinator_error(ErrorCode error);

/// Returns how long a new leader of the partition reads until it coordinates.
[[nodiscard]] Duration loading_time(const BrokerHome& home, const Replica& replica);

/// Returns a batch of these records, with the broker's time.
[[nodiscard]] SharedBatch make_batch(const BrokerHome& home, std::vector<Record> records);

} // namespace crier::broker::kafka
