#pragma once

#include "reports/result_names.hpp"
#include "scenarios/campaign.hpp"
#include "scenarios/run.hpp"

#include <chrono>
#include <string>

namespace crier::report {

/// Returns one run as JUnit XML: a test case per property; a violation is a failure with its story,
/// and the replay command is its output. a run that was stopped has a skipped
/// case that says so.
[[nodiscard]] std::string junit_of(const scenario::RunResult& run, const Invocation& from,
                                   std::chrono::nanoseconds wall);

/// Returns a campaign as JUnit XML: a test case per property, judged over all runs.
[[nodiscard]] std::string junit_of(const scenario::Campaign& campaign, const Invocation& from);

} // namespace crier::report
