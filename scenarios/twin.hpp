#pragma once

#include "properties/property.hpp"
#include "scenarios/run.hpp"
#include "scenarios/system.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

// The twin of a run: the same seed and inputs without any fault, so that nothing is handled twice.
// What services have done must come to the same in both.

namespace crier::scenario {

/// What is in the effects table of one service at the end.
struct FinalEffects {
    std::string service;
    std::string table;                                    ///< `billing-db.charges`
    std::map<std::string, std::vector<std::string>> rows; ///< By identity; sorted.
};

/// Returns what the scenario's services have done, as it is committed now.
[[nodiscard]] std::vector<FinalEffects> final_effects(const Scenario& scenario,
                                                      const System& system);

/// Returns `edits` with every fault of that seed left out.
[[nodiscard]] PlanEdits without_faults(const Scenario& scenario, std::uint64_t seed,
                                       PlanEdits edits);

/// Compares the effects of identities that both have; others are for the ledger. Where they differ
/// the verdict becomes violated, at the end of the run.
void compare(const std::vector<FinalEffects>& run, const std::vector<FinalEffects>& twin,
             Instant end, properties::Verdict& verdict);

} // namespace crier::scenario
