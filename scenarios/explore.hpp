#pragma once

#include "scenarios/campaign.hpp"
#include "scenarios/run_crew.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace crier::scenario {

struct ExploreOptions : CrewOptions {
    std::uint64_t first_seed = 1;
    std::uint64_t last_seed =
        1000; ///< Inclusive; ignored when `time_limit` is set and reached first.
    std::optional<std::chrono::nanoseconds> time_limit; ///< Of real time.
    bool keep_going = false; ///< Collect violations instead of stopping at the first.
    std::uint64_t check_determinism_every = 100; ///< Every n-th seed runs twice; 0: never.
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
