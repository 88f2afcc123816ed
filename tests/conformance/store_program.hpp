#pragma once

#include "messaging/ports/store.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Small programs of several sessions on one database, and what came of them. A program runs on
// every arm: the simulated store, a real PostgreSQL. It says in which order the statements are
// *issued*; the history says what was answered and who waited until which other step.
//
// What PostgreSQL itself leaves open: which of several waiting statements goes on first, and who
// dies of a deadlock. Such turns are marked as races; before the first of them two histories of one
// program must be the same.

namespace crier::conformance {

enum class StoreAction { statement, commit, rollback };

/// One step of one session. A session that has no transaction open begins one with it.
struct StoreStep {
    std::size_t session = 0;
    StoreAction action = StoreAction::statement;
    bool repeatable_read = false; ///< Of the transaction, if this step begins it.
    bool is_ordered = false;      ///< The order of the rows is part of the answer.
    std::string sql;
    std::vector<Value> values;
};

/// The order of the steps is the order of the turns: at its turn a session takes its next step,
/// unless its last one still waits; then the turn is lost. After the last turn the sessions take
/// what is left of their steps, the first that can before the others.
struct StoreProgram {
    std::size_t sessions = 0;
    /// A transaction with a failed statement goes to its end, since others would fail likewise.
    bool ends_after_error = false;
    std::vector<StoreStep> steps;
};

/// What a session was answered.
struct StoreAnswer {
    std::size_t session = 0;
    std::size_t step = 0; ///< Index in the program.
    std::string text;

    friend bool operator==(const StoreAnswer&, const StoreAnswer&) = default;
};

/// One turn: a step was issued, and everything came to rest again.
struct StoreTurn {
    std::size_t session = 0;
    std::size_t step = 0;             ///< Index in the program.
    bool waits = false;               ///< Not answered in this turn.
    std::vector<StoreAnswer> answers; ///< That came in this turn: its own, others by session.
    bool is_race = false;             ///< More than one thing could have come of it.

    /// Races are the observer's opinion, not part of what happened.
    [[nodiscard]] bool is_same(const StoreTurn& other) const {
        return session == other.session && step == other.step && waits == other.waits &&
               answers == other.answers;
    }
};

struct StoreHistory {
    std::vector<StoreTurn> turns;
    std::string tables;  ///< What is in them in the end.
    std::string problem; ///< Why the run did not come to its end; empty: it did.
};

/// The tables of all programs, and the rows that they begin with. There are no unordered scans in
/// random programs that lock several rows, so that no order of rows is left to a plan.
[[nodiscard]] std::vector<std::string> store_program_schema();
[[nodiscard]] std::vector<std::string> store_program_rows();

/// Returns what there is to say about an answer: its rows, or its error.
[[nodiscard]] std::string to_text(const Outcome<Rows>& answer, bool is_ordered);
[[nodiscard]] std::string to_text(const StoreStep& step);
/// One line a turn, each with the statement.
[[nodiscard]] std::string to_text(const StoreProgram& program, const StoreHistory& history);

/// Where two histories of one program differ.
struct StoreDifference {
    std::string text;      ///< Empty: nowhere.
    bool is_raced = false; ///< At a race or after one: the difference may be legitimate.
};

[[nodiscard]] StoreDifference first_difference(const StoreProgram& program,
                                               const StoreHistory& expected,
                                               const StoreHistory& found);

} // namespace crier::conformance
