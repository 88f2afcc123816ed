#pragma once

#include "messaging/ports/store.hpp"
#include "sim/node.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// A simulated SQL server: a node of its own that serves many transactions at a time as PostgreSQL
// does, with SQLite for its SQL. What becomes durable is recorded in the history where it happens,
// never by a client. This file is what the harness sees of it; services use a `SimStore`.

namespace crier::sim {
class World;
}

namespace crier::broker {

class CommitLedger;
class CommitLog;
class Connections;
class DatabaseServer;
class SqlEngine;

/// When a commit is answered.
enum class Synchronous {
    full, ///< Once it is on the platter.
    off, ///< At once; the platter follows within `flush_interval`. A power loss takes commits back.
};

/// A column whose values are told to the history.
struct FollowedColumn {
    std::string as; ///< What it is called there.
    std::string column;

    friend bool operator==(const FollowedColumn&, const FollowedColumn&) = default;
};

/// A table whose new rows are told to the history; with followed columns, all that becomes of them.
struct RowWatch {
    std::string table;
    std::string identity; ///< Column that holds the identity of the message.
    std::string key;      ///< Column that holds the key; empty: none.
    std::vector<FollowedColumn> followed = {};
    std::string only_column = {}; ///< Not empty: only rows with that value in this column.
    std::string only_value = {};

    friend bool operator==(const RowWatch&, const RowWatch&) = default;
};

/// Returns the table as the history names it: `billing-db.charges`, or `billing-db.inbox/billing`
/// where only rows of `billing` are watched.
[[nodiscard]] std::string watched_table(const std::string& database, const RowWatch& watch);

/// A database as its schema leaves it. Made once, it spares further worlds the work.
struct DatabaseImage {
    std::vector<std::byte> pages;
    struct File {
        std::string name;
        std::vector<std::byte> content;
    };
    std::vector<File> sequences;
};

/// Settings of one server. The names are PostgreSQL's where it has them.
struct DatabaseOptions {
    std::string name;
    Synchronous synchronous = Synchronous::full;              ///< synchronous_commit
    Duration flush_interval = std::chrono::milliseconds(200); ///< wal_writer_delay
    Duration lock_timeout = std::chrono::seconds(20);         ///< Of a transaction that sets none.
    Duration deadlock_timeout = std::chrono::seconds(1);
    Duration idle_transaction_timeout = std::chrono::seconds(10); ///< Then it is rolled back.
    /// Connections of clients that the server has at a time.
    std::size_t max_connections = 97; ///< max_connections less superuser_reserved_connections
    std::size_t pool_size = 10;       ///< Connections that each client process uses at a time …
    Duration pool_wait = std::chrono::seconds(5); ///< … and how long it waits for one of them.
    std::vector<std::string> schema;              ///< Statements that run when it is created.
    std::shared_ptr<const DatabaseImage> image;   ///< Made by `make_image` of the same; or null.
    std::shared_ptr<Connections> connections;     ///< That are idle; null: it opens its own.
    std::vector<RowWatch> watches;
    sim::WallClock wall_clock{};
    sim::DiskOptions disk{};

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// What is wrong with a piece of SQL, in the engine's words.
struct SqlProblem {
    std::string message;
};

[[noreturn]] void throw_exception_from_error(const SqlProblem& problem,
                                             const boost::source_location& where);

/// What a database holds, for people to open.
struct KeptDatabase {
    std::string name;
    std::string content; ///< The bytes of an SQLite file.
};

/// A database server: its node, and what the world knows of its commits.
class Database {
public:
    /// Adds the node to the world and lays the image, or the schema, on its disk; `start` starts
    /// it.
    /// **Requires**: valid options. **Errors**: throws `ContractViolation` when the schema fails.
    /// **Lifetime**: must be there while steps of the world run; may go before the world does.
    Database(sim::World& world, DatabaseOptions options);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void start() { node_.start(); }

    [[nodiscard]] sim::World& world() const { return node_.world(); }
    [[nodiscard]] sim::Node& node() const { return node_; }
    [[nodiscard]] const DatabaseOptions& options() const { return *options_; }

    /// Returns how many transactions that wrote something were committed so far.
    [[nodiscard]] std::uint64_t commit_count() const;

    /// Reads what is committed, for judging: takes no time and leaves no trace, also while the node
    /// is down or a transaction is open.
    [[nodiscard]] Result<Rows, SqlProblem> query(const std::string& sql);

    /// Returns what is committed.
    [[nodiscard]] KeptDatabase kept() const;

    /// Returns what is wrong with a statement on the present schema, or an empty text. Runs
    /// nothing.
    [[nodiscard]] std::string problem_of(const std::string& sql);

    /// Returns the running server, or null. For `SimStore`.
    [[nodiscard]] DatabaseServer* server() const;

    /// Returns a number for one client transaction, unlike all others of this run.
    [[nodiscard]] std::uint64_t next_session() { return ++*sessions_; }

private:
    Database(sim::World& world, std::shared_ptr<const DatabaseOptions> options,
             std::unique_ptr<CommitLog> log);

    [[nodiscard]] SqlEngine& reader();

    std::shared_ptr<const DatabaseOptions>
        options_; // shared with the entry of the node, as the ledger
    std::shared_ptr<CommitLedger> ledger_;
    std::shared_ptr<std::uint64_t> sessions_;
    sim::Node& node_;
    std::unique_ptr<SqlEngine> reader_; // shows what is committed
};

/// Runs a schema on an empty database; needs no world. Draws in it are 0, and time stands at the
/// start.
[[nodiscard]] Result<std::shared_ptr<const DatabaseImage>, SqlProblem>
make_image(const std::vector<std::string>& schema);

/// Returns what is wrong with a statement on a database of this schema (or with the schema), or an
/// empty text. Runs the schema, but not the statement; needs no world.
[[nodiscard]] std::string sql_problem(const std::vector<std::string>& schema,
                                      const std::string& sql);

} // namespace crier::broker
