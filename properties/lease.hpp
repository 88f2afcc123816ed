#pragma once

#include "properties/row_reader.hpp"
#include "sim/wall_clock.hpp"

// What the columns `owner` and `until` of a row mean.

namespace crier::properties {

/// Returns the time as databases have it, in milliseconds since 1970.
[[nodiscard]] inline std::int64_t wall_milliseconds(std::int64_t time) {
    return sim::WallClock::epoch_seconds * 1'000 + time / 1'000'000;
}

/// Whether the row has passed from one owner to another, without having been given back.
[[nodiscard]] inline bool is_taken_over(const FollowedRow& before, const FollowedRow& after) {
    return before.owner != 0 && after.owner != 0 && before.owner != after.owner;
}

/// Whether the lease had ended at that time, by a clock that may be wrong by `error`.
[[nodiscard]] inline bool has_ended(const FollowedRow& lease, std::int64_t time, Duration error) {
    const std::int64_t slack =
        std::chrono::duration_cast<std::chrono::milliseconds>(error).count() + 1;
    return !lease.until || *lease.until <= wall_milliseconds(time) + slack;
}

} // namespace crier::properties
