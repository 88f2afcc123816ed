#pragma once

#include "broker-model/kafka/cluster.hpp"

#include <cstdint>
#include <functional>

// Records of 100 bytes through one partition of a Kafka cluster, from one producer to one consumer:
// what the benchmarks of messages and of memory have in common.

namespace crier::bench {

struct FlowOptions {
    std::uint64_t total = 0;
    std::uint64_t batch = 1; ///< Records of one send; the next follows when they are stored.
    std::int32_t brokers = 3;
    std::int32_t replication = 3;
    std::int32_t min_insync = 2;
    bool commits = true;       ///< The consumer's automatic commits.
    bool has_checkers = false; ///< The reading, the ledger and a checker of commits look on.
    broker::kafka::LogOptions log;
    Duration log_retention_check_interval = std::chrono::minutes(5);
};

/// Runs until the consumer has everything. `look(received)` is called once a virtual second.
/// **Errors**: throws `std::runtime_error` when records are missing.
void run_flow(const FlowOptions& options, const std::function<void(std::uint64_t)>& look = {});

} // namespace crier::bench
