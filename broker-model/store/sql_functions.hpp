#pragma once

#include "broker-model/store/lock_table.hpp"
#include "broker-model/store/sequences.hpp"
#include "messaging/ports/clock.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

struct sqlite3;

// SQL functions whose answers must come from the world: random(), randomblob(), the date functions,
// current_timestamp and its kin, and nextval(); and PostgreSQL's pg_notify(),
// pg_current_xact_id(), pg_current_snapshot(), pg_snapshot_xmin() and pg_snapshot_xmax(). Each
// connection overrides its own.

namespace crier::broker {

/// The numbers of transactions that are neither committed nor rolled back.
/// **Source**: PostgreSQL manual, 9.27.7, "Transaction ID and Snapshot Information Functions".
struct TransactionsRunning {
    std::uint64_t lowest = 0; ///< Of them, or `next` if there are none: all below have ended.
    std::uint64_t next = 0;   ///< Given to nobody yet.
    std::vector<std::uint64_t> numbers;
};

/// Where a connection's functions get their answers.
class SqlSources {
public:
    virtual ~SqlSources() = default;

    /// Returns 64 uniform bits for the `index`-th draw of the running statement.
    [[nodiscard]] virtual std::uint64_t random(std::uint64_t index) = 0;
    [[nodiscard]] virtual WallTime wall_now() = 0;
    [[nodiscard]] virtual SequenceResult next_value(std::string_view sequence,
                                                    std::int64_t& value) = 0;
    [[nodiscard]] virtual SequenceResult create_sequence(std::string_view name) = 0;

    // What only a server has.

    /// Returns the number of the transaction that the statement belongs to, given to it now if it
    /// has none yet.
    [[nodiscard]] virtual std::uint64_t transaction_id() { return 0; }

    /// Returns who is running, as the statement sees it.
    [[nodiscard]] virtual TransactionsRunning running() { return {}; }

    /// Tells `payload` to the listeners of `channel` when the transaction commits.
    virtual void notify(std::string_view channel, std::string_view payload);

    /// Returns whether nobody else keeps the transaction from locking that row.
    [[nodiscard]] virtual bool is_unlocked(LockMode mode, std::string_view table,
                                           std::int64_t row_id);
};

/// The overriding functions of one connection.
class SqlFunctions {
public:
    /// Without `sources` the functions exist, and fail when they are called.
    SqlFunctions(sqlite3* connection, SqlSources* sources);
    ~SqlFunctions();
    SqlFunctions(const SqlFunctions&) = delete;
    SqlFunctions& operator=(const SqlFunctions&) = delete;

    /// Another server answers from now on.
    void set_sources(SqlSources& sources) { sources_ = &sources; }

    /// A statement begins; its draws count from 0.
    void statement_begins() { draws_ = 0; }

private:
    struct Glue;

    SqlSources* sources_;
    std::uint64_t draws_ = 0;
    sqlite3* calendar_ =
        nullptr; // SQLite's own date functions, told what time it is; opened when needed
};

} // namespace crier::broker
