#pragma once

#include "scenarios/plan.hpp"

namespace crier::scenario {

/// The longest that a fault outlasts the load for, unless the scenario says when it begins.
inline constexpr Duration length_max_after_load = std::chrono::seconds(10);

/// Draws the faults of the rule of that index and appends them, each with its words.
void plan_faults(const Scenario& scenario, const sim::Random& random, std::size_t rule,
                 Instant load_end, std::vector<PlannedFault>& faults);

/// Returns what a planned fault does, for people: `crash billing/2 for 3s`.
[[nodiscard]] std::string in_words(const PlannedFault& fault);

} // namespace crier::scenario
