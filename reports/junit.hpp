#pragma once

#include "scenarios/campaign.hpp"
#include "scenarios/run.hpp"

#include <chrono>
#include <string>

namespace crier::report {

/// Returns one run as JUnit XML: a test case per property; a violation is a failure with its story,
/// and the replay command is its output. `file` is the scenario file as it was given.
[[nodiscard]] std::string junit_of(const scenario::RunResult& run, const std::string& file,
                                   std::chrono::nanoseconds wall);

/// Returns a campaign as JUnit XML: a test case per property, judged over all runs.
[[nodiscard]] std::string junit_of(const scenario::Campaign& campaign, const std::string& file);

} // namespace crier::report
