#pragma once

#include "messaging/ports/clock.hpp"
#include "sim/random.hpp"

#include <chrono>
#include <cstdint>

namespace crier::broker::kafka {

/// What a topic says of its logs, by Kafka's names and defaults.
struct LogOptions {
    std::int64_t segment_bytes = std::int64_t{1} << 30; ///< segment.bytes
    Duration segment_time = std::chrono::hours(168);    ///< segment.ms
    std::int64_t retention_bytes = -1;                  ///< retention.bytes; -1: no limit
    Duration retention_time = std::chrono::hours(168);  ///< retention.ms; negative: no limit
    bool deletes = true;                                ///< cleanup.policy has `delete` …
    bool compacts = false;                              ///< … and `compact`
    Duration delete_retention = std::chrono::hours(24); ///< delete.retention.ms
    Duration min_compaction_lag{};                      ///< min.compaction.lag.ms
    Duration max_compaction_lag = Duration::max();      ///< max.compaction.lag.ms
    sim::Probability min_cleanable_ratio{500'000};      ///< min.cleanable.dirty.ratio
    std::int64_t max_message_bytes = 1048588;           ///< max.message.bytes, of a batch
    bool log_append_time = false;                       ///< message.timestamp.type; else CreateTime
    Duration timestamp_before_max = Duration::max();    ///< message.timestamp.before.max.ms
    Duration timestamp_after_max = std::chrono::hours(1); ///< message.timestamp.after.max.ms
};

} // namespace crier::broker::kafka
