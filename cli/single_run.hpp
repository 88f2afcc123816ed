#pragma once

#include "cli/commands.hpp"
#include "reports/result_names.hpp"
#include "scenarios/run.hpp"

#include <chrono>
#include <string>

namespace crier::cli {

struct TimedRun {
    scenario::RunResult result;
    std::chrono::nanoseconds wall{};
};

/// Runs one seed under a watchdog: a step that does not end within ten seconds ends the program
/// with the seed and the node that hangs. Ctrl-C ends the run. `from` is for the watchdog's
/// message.
[[nodiscard]] TimedRun timed_run(const scenario::Scenario& scenario,
                                 const scenario::ServiceTable& services,
                                 scenario::RunOptions options, const report::Invocation& from);

/// Tells which node hangs in which seed, and ends the program with code 4: nothing can end the
/// step.
[[noreturn]] void end_hung(const report::Invocation& from, std::uint64_t seed,
                           const std::string& node);

/// Writes the reports that were asked for, and tells the run on standard output unless JSON goes
/// there. **Returns** what the program ends with.
[[nodiscard]] ExitCode report_run(const TimedRun& done, const report::Invocation& from,
                                  const ReportFiles& reports);

} // namespace crier::cli
