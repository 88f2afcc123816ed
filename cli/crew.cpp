#include "cli/crew.hpp"

#include "cli/signals.hpp"
#include "cli/single_run.hpp"

#include <algorithm>
#include <thread>

namespace crier::cli {

void add_workers(CLI::App& verb, unsigned& workers) {
    verb.add_option("-j,--workers", workers, "threads; all cores when absent")
        ->check(CLI::Range(1U, workers_max));
}

void set_up_crew(scenario::CrewOptions& crew, unsigned workers, const report::Invocation& from) {
    crew.workers =
        workers != 0 ? workers : std::clamp(std::thread::hardware_concurrency(), 1U, workers_max);
    crew.interrupt = &interrupted();
    crew.seeds_running = seeds_running().data();
    crew.on_worker_start = [](unsigned worker) { use_signal_stack(worker + 1); };
    crew.on_hang = [&from](std::uint64_t seed, const std::string& node) {
        end_hung(from, seed, node);
    };
}

ExitCode exit_code_of(const scenario::Campaign& runs) {
    if (!runs.broken.empty()) return exit_harness_failed;
    if (runs.verdict == properties::VerdictKind::violated) return exit_violated;
    if (runs.interrupted) return exit_interrupted;
    return exit_code_of(runs.verdict);
}

} // namespace crier::cli
