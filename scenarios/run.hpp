#pragma once

#include "broker-model/store/database.hpp"
#include "properties/ledger.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/scenario.hpp"
#include "scenarios/service.hpp"
#include "sim/history.hpp"
#include "sim/kernel.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace crier::scenario {

struct RunOptions {
    std::uint64_t seed = 1;
    PlanEdits edits;
    bool keep_history = false;   ///< Keep events and texts, for traces and stories.
    bool keep_databases = false; ///< Keep what the databases hold at the end.
    std::optional<Instant>
        until; ///< Stop there and judge what is known; verdicts may be inconclusive.
    std::atomic<bool>* interrupt = nullptr; ///< Set by others to end the run early.
    sim::StepWatch* watch = nullptr;        ///< For a watchdog on another thread.
    /// Of databases, left by earlier runs of this thread; null: each database opens its own.
    std::shared_ptr<broker::Connections> connections;
};

struct FaultOutcome {
    std::uint32_t id = 0; ///< PlannedFault::id
    std::string kind;     ///< `crash`
    std::string target;   ///< `billing/2`
    std::string what;     ///< In words.
    bool began = false;
    bool withheld = false; ///< By the fault budget.
    std::uint64_t hits = 0;
};

/// Something said of the run that is no verdict: a fault that hit nothing, a property that saw
/// nothing.
using Remark = std::string;

/// What became of one run: plain values, enough for every report.
struct RunResult {
    std::string scenario;
    std::uint64_t scenario_hash = 0;
    std::uint64_t seed = 1;
    std::uint64_t digest = 0;
    properties::VerdictKind verdict = properties::VerdictKind::vacuous;
    std::vector<properties::Verdict>
        properties; ///< In the order of the scenario, SQL properties last.
    properties::LedgerCounts ledger;
    std::vector<properties::ServiceLedger> services;
    std::vector<FaultOutcome> faults; ///< By id.
    std::vector<Remark> remarks;
    bool quiet = false;
    bool interrupted = false;
    std::string broken;       ///< A broken invariant of the harness; empty: none.
    std::uint64_t events = 0; ///< History events.
    std::uint64_t steps = 0;
    Duration virtual_time{};

    // Only when the history was kept:
    std::vector<sim::Event> history;
    std::shared_ptr<const sim::TextTable> texts;
    std::vector<std::string> node_names; ///< By node id; [0] is the world.

    std::vector<broker::KeptDatabase> databases; ///< Only when they were kept.
};

/// Returns the names of a scenario's nodes by their ids, without a run; [0] is the world.
[[nodiscard]] std::vector<std::string> node_names(const Scenario& scenario,
                                                  const ServiceTable& services);

/// Runs one seed of a scenario and judges it.
/// **Requires** that `configure_sqlite()` was called once in this program.
[[nodiscard]] RunResult run_scenario(const Scenario& scenario, const ServiceTable& services,
                                     const RunOptions& options);

} // namespace crier::scenario
