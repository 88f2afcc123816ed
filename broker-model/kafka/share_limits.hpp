#pragma once

#include "messaging/ports/kafka.hpp"

namespace crier::broker::kafka {

/// The limits of share groups, by Kafka's names (`group.share.` and these) and defaults.
struct ShareLimits {
    std::int32_t delivery_count_limit = 5;
    Duration record_lock_duration = std::chrono::seconds(30);
    std::size_t partition_max_record_locks = 2000;
    std::size_t max_size = 200;
    Duration session_timeout = std::chrono::seconds(45);
    Duration heartbeat_interval = std::chrono::seconds(5);
    crier::kafka::OffsetReset auto_offset_reset =
        crier::kafka::OffsetReset::latest; ///< share.auto.offset.reset
};

} // namespace crier::broker::kafka
