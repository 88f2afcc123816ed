#pragma once

#include "broker-model/store/row_capture.hpp"
#include "broker-model/store/sql_functions.hpp"
#include "messaging/ports/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

// One SQLite connection to a database file on a simulated disk: prepared statements by their text,
// `$1` parameters, PostgreSQL's manners where SQLite has others (sequences, no SQL for
// transactions), and its errors as the store port names them. All of it is synchronous; time and
// turns are the server's.

namespace crier::broker {

/// What a statement or commit came to.
struct SqlAnswer {
    Rows rows;
    StoreError error{}; ///< Zero: none.

    [[nodiscard]] bool is_ok() const { return error == StoreError{}; }
};

enum class SyncMode {
    commits,     ///< A commit ends with a sync.
    checkpoints, ///< Only what the file's consistency needs.
};

/// An open connection.
class SqlEngine {
public:
    /// `sources` may be null: for the harness. **Errors**: throws `ContractViolation` if the file
    /// cannot be opened, unless the process is dead: then every statement fails.
    SqlEngine(DiskAccess& access, std::string_view file, SyncMode mode, SqlSources* sources);
    ~SqlEngine();
    SqlEngine(const SqlEngine&) = delete;
    SqlEngine& operator=(const SqlEngine&) = delete;

    /// Tells the ledger of new rows from now on. **Requires**: no statement was prepared yet.
    void watch(const std::vector<RowWatch>& watches, CommitLedger& ledger);

    /// Runs one statement to its end; outside of a transaction in one of its own.
    [[nodiscard]] SqlAnswer run(const std::string& sql, const std::vector<Value>& parameters);

    /// As `run`, but refuses what writes.
    [[nodiscard]] SqlAnswer read(const std::string& sql);

    /// Whether the statement is one; runs nothing.
    [[nodiscard]] bool check(const std::string& sql);

    void begin();
    /// **Errors**: the transaction is undone.
    [[nodiscard]] StoreError commit();
    /// Does nothing outside of a transaction.
    void rollback();

    /// Puts the whole log into the database file, and removes the log.
    void fold_log();

    /// Returns the engine's words for the last error.
    [[nodiscard]] const std::string& last_problem() const { return problem_; }

private:
    struct Glue;

    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };

    /// A statement that is kept.
    struct Prepared {
        std::unique_ptr<sqlite3_stmt, Finalize> statement;
        std::vector<int> numbers; // by SQLite's index: which `$n` it is
        std::size_t parameter_count = 0;
        bool only_reads = false;
        bool changes_schema = false;
        std::string sequence; // it makes this sequence, and there is no SQLite statement
        bool may_exist = false;
    };

    /// Lookup only; nothing depends on its order.
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const;
    };
    using Cache = std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>>;

    [[nodiscard]] Prepared* prepare(const std::string& sql);
    [[nodiscard]] bool compile(const std::string& sql, Prepared& prepared);
    [[nodiscard]] bool number_parameters(Prepared& prepared);
    [[nodiscard]] SqlAnswer run(Prepared& prepared, const std::vector<Value>& parameters);
    [[nodiscard]] SqlAnswer fail(StoreError error, std::string problem);
    [[nodiscard]] SqlAnswer make_sequence(const Prepared& prepared);
    [[nodiscard]] bool bind(Prepared& prepared, const std::vector<Value>& parameters);
    int run_own(sqlite3_stmt* statement);
    void schema_changed();

    DiskAccess& access_;
    SqlSources* sources_;
    sqlite3* connection_ = nullptr;
    std::optional<SqlFunctions> functions_;
    std::optional<RowCapture> capture_;
    Cache cache_;
    sqlite3_stmt* begin_ = nullptr;
    sqlite3_stmt* commit_ = nullptr;
    sqlite3_stmt* rollback_ = nullptr;
    bool compiling_schema_ = false;
    bool trusted_ = false;        // what is compiled is the store's own
    bool schema_touched_ = false; // in the open transaction
    std::string problem_;
};

} // namespace crier::broker
