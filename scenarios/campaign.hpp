#pragma once

#include "scenarios/run.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Many runs of one scenario as one result.

namespace crier::scenario {

/// What became of the faults of one kind on one target.
struct FaultTally {
    std::uint64_t planned = 0;
    std::uint64_t withheld = 0; ///< By the fault budget.
    std::uint64_t hit = 0;      ///< How many of them hit something.
};

using FaultTallies = std::map<std::pair<std::string, std::string>, FaultTally>; // kind, target

/// Adds the faults of one run.
void add(FaultTallies& tallies, const std::vector<FaultOutcome>& faults);

/// Returns the sums over all targets, by kind.
[[nodiscard]] std::map<std::string, FaultTally> by_kind(const FaultTallies& tallies);

struct Violation {
    std::uint64_t seed = 0;
    std::uint64_t digest = 0;
    std::string property;
    std::string witness;
};

/// What a campaign found. The same for every number of workers, but for the wall time.
struct Campaign {
    std::string scenario;
    std::uint64_t scenario_hash = 0;
    std::uint64_t runs = 0;
    properties::VerdictKind verdict = properties::VerdictKind::vacuous;
    /// Over all runs: violated if one violates it, vacuous if none has anything to judge; with the
    /// first witness. In the order of the scenario.
    std::vector<properties::Verdict> properties;
    std::vector<std::uint64_t> violating_seeds; ///< By property: the first seed; 0: none.
    std::vector<Violation> violations;          ///< The first of each violating seed, by seed.
    std::optional<RunResult> first;             ///< The lowest violating seed, with its history.
    properties::LedgerCounts ledger;            ///< Summed, as are those of the services.
    std::vector<properties::ServiceLedger> services;
    FaultTallies faults;
    std::uint64_t inconclusive = 0; ///< Runs.
    std::vector<Remark> remarks;    ///< Why the verdict is vacuous.
    std::string broken; ///< The harness failed: digest mismatch, broken invariant, hung step.
    std::uint64_t broken_seed = 0;
    bool interrupted = false;
    std::uint64_t events = 0; ///< Of all runs, as is the virtual time.
    Duration virtual_time{};
    std::chrono::nanoseconds wall{};
};

/// Adds a run that came to its end and did not break.
void add(Campaign& campaign, const RunResult& run);

/// Sets the verdict: violated before inconclusive before vacuous before holds. A campaign is
/// vacuous when some property saw nothing to judge in any run, or some kind of fault hit nothing.
void judge(Campaign& campaign);

} // namespace crier::scenario
