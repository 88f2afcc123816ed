#pragma once

#include "messaging/ports/clock.hpp"
#include "scenarios/scenario.hpp"
#include "sim/random.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Numbers with units as people write them, in integers only: `250ms`, `1s..5s`, `200/s`, `0.5%`.
// Every function takes the whole text or nothing.

namespace crier::scenario {

/// Returns a whole number; nothing when it does not fit.
[[nodiscard]] std::optional<std::int64_t> parse_count(std::string_view text);

/// Returns `250ms`, `5s`, `1.5s`, `-2m`, `1h`; units are ns, us, ms, s, m and h, and always
/// written.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

/// Returns bytes of `100B`, `64KiB`, `1MiB`, `2GiB`; the unit is always written.
[[nodiscard]] std::optional<std::int64_t> parse_bytes(std::string_view text);

/// Returns `64KiB`: the largest unit that tells it in a whole number.
[[nodiscard]] std::string bytes_text(std::int64_t bytes);

/// Returns inputs per minute of `20/s` or `30/m`.
[[nodiscard]] std::optional<std::int64_t> parse_rate(std::string_view text);

/// Returns the share of `0.5%`: 0% to 100%, four decimals.
[[nodiscard]] std::optional<sim::Probability> parse_share(std::string_view text);

/// The two ends of `low..high`; a text without `..` is both.
struct Ends {
    std::string_view low;
    std::string_view high;
};
[[nodiscard]] Ends split_range(std::string_view text);

/// Returns `2m`, `90s`, `1.5s`, `250ms`: the largest unit that tells it exactly with at most three
/// decimals (hours and minutes: none).
[[nodiscard]] std::string duration_text(Duration duration);

/// Returns `0.5%`.
[[nodiscard]] std::string share_text(sim::Probability share);

} // namespace crier::scenario
