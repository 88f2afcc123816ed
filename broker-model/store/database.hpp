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
class DatabaseMember;
class DatabaseServer;
class SqlEngine;
struct DatabaseRoles;

/// When a commit is answered.
enum class Synchronous {
    full, ///< Once it is on the platter.
    off, ///< At once; the platter follows within `flush_interval`. A power loss takes commits back.
};

/// Whether a second node has what the primary commits.
enum class Replication {
    none,         ///< There is no second node.
    asynchronous, ///< A commit is answered before the replica has it.
    /// A commit is answered, and seen, once it is on the replica's platter, however long that is
    /// away: synchronous_standby_names, with synchronous_commit on.
    synchronous,
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
    Replication replica = Replication::none;
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

/// A database server: its node (with a replica two, `shop-db/1` and `shop-db/2`), and what the
/// world knows of its commits.
class Database {
public:
    /// Adds the nodes to the world and lays the image, or the schema, on their disks; `start`
    /// starts them.
    /// **Requires**: valid options. **Errors**: throws `ContractViolation` when the schema fails.
    /// **Lifetime**: must be there while steps of the world run; may go before the world does.
    Database(sim::World& world, DatabaseOptions options);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void start();

    [[nodiscard]] sim::World& world() const { return world_; }
    /// The primary, to which clients are led.
    [[nodiscard]] sim::Node& node() const;
    /// All nodes; the first begins as the primary.
    [[nodiscard]] const std::vector<sim::Node*>& nodes() const;

    /// An operator's fail-over: the primary is killed if it lives, and the replica is promoted, as
    /// it is. A primary that was killed starts again after `away`, as the replica of the new one.
    /// **Returns** whether it did; not when the replica is not running, or has yet to take a former
    /// primary's place in the timeline. **Source**: PostgreSQL manual 27.3, "Failover".
    bool fail_over(Duration away);
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

    /// Returns the server that runs the present step, or null: the step is not the primary's. For
    /// `SimStore`.
    [[nodiscard]] DatabaseServer* server() const;

    /// Returns a number for one client transaction, unlike all others of this run.
    [[nodiscard]] std::uint64_t next_session() { return ++*sessions_; }

private:
    [[nodiscard]] SqlEngine& reader();
    [[nodiscard]] DatabaseMember* member(std::size_t node) const;

    sim::World& world_;
    // Shared with the entries of the nodes:
    std::shared_ptr<const DatabaseOptions> options_;
    std::shared_ptr<DatabaseRoles> roles_;
    std::shared_ptr<CommitLedger> ledger_;
    std::shared_ptr<std::uint64_t> sessions_;
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
