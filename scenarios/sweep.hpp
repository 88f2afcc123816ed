#pragma once

#include "scenarios/campaign.hpp"
#include "scenarios/explore.hpp"
#include "scenarios/run_crew.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// One seed again and again, each time with a fault at the next point that a node reaches: at every
// place where its code waits, where it touches its disk, where it says so. A sweep that was not
// interrupted is exhaustive: the last run of each point is one that does not reach it any more.

namespace crier::scenario {

/// What a sweep strikes, and with what: the words of a fault entry.
struct SweptFault {
    std::string kind; ///< `crash`
    std::string node; ///< `relay/1`
    std::string point;
    std::string length; ///< `1s`

    /// Returns the entry for the `nth` time that the node reaches the point.
    [[nodiscard]] std::string text(std::uint64_t nth) const;
};

/// A scenario with a swept fault as its last, for the first time.
struct SweptScenario {
    Scenario scenario;
    SweptFault fault;
    std::uint64_t hash = 0; ///< Of the scenario without it.
};

struct SweepOptions : CrewOptions {
    std::uint64_t seed = 1;
    bool keep_going = false; ///< Collect violations instead of stopping at the first.
};

/// How often a node reached a point, each time struck in a run of its own.
struct SweptPoint {
    SweptFault fault;
    std::uint64_t count = 0;
};

/// What a sweep found. The same for every number of workers, but for the wall time.
struct Sweep {
    std::uint64_t seed = 1;
    std::vector<SweptPoint> points;
    Campaign runs;                        ///< All of them.
    std::vector<std::string> violated_at; ///< By violation of `runs`: the fault.
};

/// Sweeps one point after the other, up to the first violation.
/// **Requires**: scenarios with the same services.
[[nodiscard]] Sweep sweep(const std::vector<SweptScenario>& points, const ServiceTable& services,
                          const SweepOptions& options,
                          const std::function<void(const ExploreProgress&)>& progress);

} // namespace crier::scenario
