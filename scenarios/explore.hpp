#pragma once

#include "scenarios/run.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace crier::scenario {

struct ExploreOptions {
    std::uint64_t first_seed = 1;
    std::uint64_t last_seed =
        1000; ///< Inclusive; ignored when `time_limit` is set and reached first.
    std::optional<std::chrono::nanoseconds> time_limit; ///< Of real time.
    unsigned workers = 1;
    bool keep_going = false; ///< Collect violations instead of stopping at the first.
    std::uint64_t check_determinism_every = 100; ///< Every n-th seed runs twice; 0: never.
    std::chrono::nanoseconds step_limit =
        std::chrono::seconds(10); ///< Real time one step may take.
    std::atomic<bool>* interrupt = nullptr;
    std::atomic<std::uint64_t>* seeds_running =
        nullptr; ///< One per worker, for whoever reports a crash.
    /// Told when a step takes longer than `step_limit`; it should end the program, since nothing
    /// can end the step. Unset: nobody watches.
    std::function<void(std::uint64_t seed, const std::string& node)> on_hang;
};

/// How far an exploration is.
struct ExploreProgress {
    std::uint64_t done = 0;
    std::uint64_t total = 0; ///< 0: as many as time allows.
    std::uint64_t violations = 0;
    std::chrono::nanoseconds elapsed{};
    double seeds_per_second = 0;
};

struct Violation {
    std::uint64_t seed = 0;
    std::uint64_t digest = 0;
    std::string property;
    std::string witness;
};

/// What an exploration found. The same for every number of workers, but for times.
struct ExploreResult {
    std::uint64_t runs = 0;
    std::vector<Violation> violations; ///< By seed.
    std::optional<RunResult> first; ///< The lowest violating seed, run again with its history kept.
    std::map<std::string, std::uint64_t> observations; ///< By property, over all runs.
    std::map<std::string, std::uint64_t> fault_hits;   ///< By fault kind, over all runs.
    std::map<std::string, std::uint64_t> fault_planned;
    properties::LedgerCounts ledger; ///< Summed.
    std::uint64_t inconclusive = 0;
    std::uint64_t beyond_budget = 0;
    std::vector<Remark>
        remarks; ///< Over the campaign: a kind of fault that never hit, a property never observed.
    std::string broken; ///< The harness failed: digest mismatch, broken invariant, hung step.
    std::uint64_t broken_seed = 0;
    bool interrupted = false;
    properties::VerdictKind verdict = properties::VerdictKind::vacuous;
    std::chrono::nanoseconds wall{};
};

/// Runs seeds on worker threads. `progress` is called from one thread, a few times a second.
[[nodiscard]] ExploreResult explore(const Scenario& scenario, const ServiceTable& services,
                                    const ExploreOptions& options,
                                    const std::function<void(const ExploreProgress&)>& progress);

} // namespace crier::scenario
