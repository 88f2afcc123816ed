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
    crier::kafka::Isolation isolation =
        crier::kafka::Isolation::read_uncommitted; ///< share.isolation.level
    std::size_t max_share_sessions = 2000;         ///< Of one broker.
};

/// Returns the name of the limit that is out of Kafka's bounds, or nothing. The lock may be as
/// short and as long as the operator of a cluster can allow
/// (`group.share.min.record.lock.duration.ms`, 15 seconds unless set, and `.max.`, a minute).
/// **Source**: Kafka ShareGroupConfig.
[[nodiscard]] inline std::string_view out_of_bounds(const ShareLimits& limits) {
    const auto is_in = [](auto value, auto low, auto high) {
        return value >= low && value <= high;
    };
    using std::chrono::seconds;
    if (!is_in(limits.delivery_count_limit, 2, 10)) return "group.share.delivery.count.limit";
    if (!is_in(limits.record_lock_duration, Duration(seconds(1)), Duration(seconds(3600)))) {
        return "group.share.record.lock.duration.ms";
    }
    if (!is_in(limits.partition_max_record_locks, std::size_t{100}, std::size_t{4000})) {
        return "group.share.partition.max.record.locks";
    }
    return {};
}

} // namespace crier::broker::kafka
