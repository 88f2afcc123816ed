#pragma once

#include "scenarios/campaign.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

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
    /// Called first on each worker's thread, which are numbered from 0; unset: nothing.
    std::function<void(unsigned worker)> on_worker_start;
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

/// Runs seeds on worker threads. `progress` is called from one thread, a few times a second.
[[nodiscard]] Campaign explore(const Scenario& scenario, const ServiceTable& services,
                               const ExploreOptions& options,
                               const std::function<void(const ExploreProgress&)>& progress);

} // namespace crier::scenario
