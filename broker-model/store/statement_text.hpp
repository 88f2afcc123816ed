#pragma once

#include "broker-model/store/lock_table.hpp"
#include "messaging/ports/clock.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a database server reads in a statement before SQLite does: PostgreSQL's locking clauses and
// the settings of a transaction, which SQLite does not know, and the table that is written.

namespace crier::broker {

/// What becomes of a row that somebody else has locked.
enum class LockedRow { wait, fail, skip };

/// `for update`, `for no key update`, `for share`, `for key share`, of a query that is not part of
/// another statement.
struct LockingClause {
    std::string table;
    LockMode mode = LockMode::update;
    LockedRow others = LockedRow::wait;
};

/// A statement in the words of SQLite.
struct StatementText {
    std::string problem; ///< Not empty: what is wrong with it, and nothing else holds.

    /// On the snapshot of the statement. A query with a locking clause has the row id of what it
    /// found as its last column, and `unlocked(MODE, TABLE, ROW_ID)` sees to rows to be skipped.
    std::string snapshot;

    /// The same when rows that it waited for are shown as they are now, in the schema `latest`:
    /// what it writes and locks is looked for there, all else on the snapshot. Empty: it does
    /// neither. **Source**: PostgreSQL manual 13.2.1; executor README, "EvalPlanQual".
    std::string latest;

    std::optional<LockingClause> locking;
    /// The same of a query that is part of a statement: what the statement writes of the rows that
    /// were found there is locked like this.
    std::optional<LockingClause> inner_locking;
    std::string table;        ///< What it writes; empty: nothing.
    bool inserts = false;     ///< Else it updates or deletes.
    bool on_conflict = false; ///< It is an insert that says what to do about a conflict, …
    std::vector<std::string> conflict_columns; ///< … on these columns; empty: on any.
    bool does_nothing = false;                 ///< … namely nothing.
    std::string targets; ///< Of an update: the query of the row ids that it would write.

    // Settings, which are no statement for SQLite.
    enum class Setting { none, read_committed, repeatable_read, lock_timeout, statement_timeout };
    Setting setting = Setting::none;
    Duration value{}; ///< Of a timeout; zero: none.
};

[[nodiscard]] StatementText read_statement(std::string_view sql);

} // namespace crier::broker
