#pragma once

#include "messaging/ports/clock.hpp"
#include "sim/hash.hpp"

#include <cstdint>

namespace crier::sim {

/// A machine's wall clock: right at the start but for `offset`, then fast or slow by `drift`.
struct WallClock {
    /// What a clock without offset shows when the run starts: 2026-01-01T00:00:00Z.
    static constexpr std::int64_t epoch_seconds = 1767225600;

    Duration offset{};
    std::int64_t drift_ppm = 0; ///< Parts per million; positive runs fast.

    [[nodiscard]] WallTime read(Instant now) const {
        const Duration elapsed = now.time_since_epoch();
        const auto drift = static_cast<SignedWide>(elapsed.count()) * drift_ppm / 1'000'000;
        return WallTime(std::chrono::seconds(epoch_seconds)) + elapsed + offset +
               Duration(static_cast<std::int64_t>(drift));
    }
};

} // namespace crier::sim
