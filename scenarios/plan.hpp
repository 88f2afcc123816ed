#pragma once

#include "scenarios/scenario.hpp"
#include "scenarios/service.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace crier::scenario {

/// One input with its time.
struct PlannedInput {
    Input input;
    std::size_t load = 0; ///< Index into Scenario::load.
    Instant at{};
};

/// One fault with its time, targets still by name.
struct PlannedFault {
    std::uint32_t id =
        0; ///< Identity of the fault, the same whatever else is left out: rule and occurrence.
    std::string_view name; ///< As scenarios write it: `crash`, `rolling-deploy`.
    sim::FaultKind kind = sim::FaultKind::crash;
    Story story = Story::none; ///< Of which it is a part.
    Target target; ///< Whom; a name with several replicas has been narrowed to one (`billing/2`).
                   ///< Without a name: everybody's calls.
    std::vector<Target> peers;
    bool one_way = false;
    sim::FaultTrigger trigger;
    Duration length{};
    std::int64_t amount = 0;
    std::string error; ///< What a failing call is answered with.
    std::string what;  ///< `crash billing/2 for 3s`
};

/// What is left out of a seed's plan, by identity.
struct PlanEdits {
    std::vector<std::uint64_t> without_inputs; ///< Input::number; sorted.
    std::vector<std::uint32_t> without_faults; ///< PlannedFault::id; sorted.
};

/// One seed made explicit.
struct Plan {
    std::uint64_t seed = 1;
    std::vector<PlannedInput> inputs; ///< By time, then number.
    std::vector<PlannedFault> faults; ///< By id.
    Instant load_end{};               ///< When the last input may arrive.
    Instant heal_at{};                ///< When the faults are over and the world heals.
};

/// Draws the plan of a seed: a pure function of its arguments; an edit moves no other draw.
[[nodiscard]] Plan make_plan(const Scenario& scenario, std::uint64_t seed,
                             const PlanEdits& edits = {});

} // namespace crier::scenario
