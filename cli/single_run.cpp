#include "cli/single_run.hpp"

#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "reports/json.hpp"
#include "reports/junit.hpp"
#include "reports/result_names.hpp"
#include "reports/text.hpp"

#include <condition_variable>
#include <mutex>
#include <spdlog/spdlog.h>
#include <thread>
#include <unistd.h>

namespace crier::cli {

namespace {

constexpr std::chrono::seconds step_limit{10};

/// Looks once in a while whether a run still makes steps; ends with its scope.
class Watchdog {
public:
    Watchdog(const scenario::Scenario& scenario, const scenario::ServiceTable& services,
             sim::StepWatch& watch, std::uint64_t seed, const report::Invocation& from)
        : thread_([&, seed](const std::stop_token& stop) {
              std::uint64_t seen = watch.steps.load();
              std::unique_lock lock(mutex_);
              while (!changed_.wait_for(lock, stop, step_limit, [] { return false; }) &&
                     !stop.stop_requested()) {
                  const std::uint64_t steps = watch.steps.load();
                  if (steps == seen && steps != 0) {
                      const auto names = scenario::node_names(scenario, services);
                      end_hung(from, seed, names.at(watch.node.load()));
                  }
                  seen = steps;
              }
          }) {}

private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::jthread thread_;
};

} // namespace

void end_hung(const report::Invocation& from, std::uint64_t seed, const std::string& node) {
    spdlog::error("seed {}: a step of {} has taken more than {} s of real time", seed, node,
                  step_limit.count());
    spdlog::error("replay: {}", report::replay_command(from, seed));
    ::_exit(exit_harness_failed);
}

TimedRun timed_run(const scenario::Scenario& scenario, const scenario::ServiceTable& services,
                   scenario::RunOptions options, const report::Invocation& from) {
    sim::StepWatch watch;
    options.watch = &watch;
    options.interrupt = &interrupted();
    const Watchdog watchdog(scenario, services, watch, options.seed, from);
    seeds_running()[0].store(options.seed);
    const auto began = std::chrono::steady_clock::now();
    TimedRun done;
    done.result = scenario::run_scenario(scenario, services, options);
    done.wall = std::chrono::steady_clock::now() - began;
    seeds_running()[0].store(0);
    return done;
}

ExitCode report_run(const TimedRun& done, const report::Invocation& from,
                    const ReportFiles& reports) {
    const scenario::RunResult& run = done.result;
    if (!reports.json.empty()) write_file(reports.json, report::json_of(run, done.wall));
    if (!reports.junit.empty()) write_file(reports.junit, report::junit_of(run, from, done.wall));
    if (reports.json != "-") print(report::text_of(run, {from, is_terminal_out()}));
    if (!run.broken.empty()) return exit_harness_failed;
    if (run.verdict == properties::VerdictKind::violated) return exit_violated;
    if (interrupted().load()) return exit_interrupted;
    return exit_code_of(run.verdict);
}

} // namespace crier::cli
