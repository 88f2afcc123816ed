#pragma once

#include "scenarios/campaign.hpp"
#include "scenarios/run.hpp"
#include "scenarios/sweep.hpp"

#include <chrono>
#include <string>

namespace crier::report {

/// Returns one run as JSON, two spaces of indent, ending in a newline. Keys do not change their
/// meaning within a format version.
[[nodiscard]] std::string json_of(const scenario::RunResult& run, std::chrono::nanoseconds wall);

/// Returns a campaign as JSON; `first` is the first violating run, in the form of above.
[[nodiscard]] std::string json_of(const scenario::Campaign& campaign);

/// Returns a sweep as JSON: its points with their counts, the faults that violated something, and
/// its runs as a campaign.
[[nodiscard]] std::string json_of(const scenario::Sweep& sweep);

} // namespace crier::report
