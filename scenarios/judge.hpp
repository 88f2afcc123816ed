#pragma once

#include "properties/reading.hpp"
#include "scenarios/run.hpp"
#include "scenarios/system.hpp"
#include "sim/history.hpp"

#include <memory>
#include <vector>

namespace crier::scenario {

/// Everything that judges one run: the ledger, the checkers that the scenario expects, and its SQL.
class Judge {
public:
    /// Subscribes to `history` before the first event that matters.
    Judge(sim::History& history, const Scenario& scenario, const System& system);

    /// Returns how many units of the ledger have no fate yet.
    [[nodiscard]] std::uint64_t open() { return reading_.ledger().open(); }

    /// Returns when something ledger-relevant last happened.
    [[nodiscard]] Instant last_moved() { return reading_.ledger().last_moved(); }

    /// Looks at the databases if this is a new quiet moment, for properties that must hold at all
    /// of them.
    void look(Instant now);

    /// Gives all verdicts; `cut`: the run was ended before its time.
    void finish(Instant now, bool quiet, bool cut, RunResult& result);

private:
    struct SqlCheck {
        const SqlProperty* property;
        properties::Verdict verdict;
        std::string problem; // why it could not be asked
    };

    void ask(SqlCheck& check, Instant now);

    const Scenario& scenario_;
    const System& system_;
    sim::History& history_;
    properties::Reading reading_;
    std::vector<std::unique_ptr<properties::Checker>> checkers_; // by expectation
    std::vector<SqlCheck> sql_;
    Instant looked_at_{}; // the last_moved of the latest look
};

/// Returns a value, or the values of a row, as reports show them.
[[nodiscard]] std::string text_of(const Value& value);
[[nodiscard]] std::string text_of(const Row& row);

/// Returns the verdict of a run or campaign: violated > inconclusive > holds; vacuous only if all
/// are.
[[nodiscard]] properties::VerdictKind worst_of(const std::vector<properties::Verdict>& verdicts);

} // namespace crier::scenario
