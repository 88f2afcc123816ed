#pragma once

#include "broker-model/store/disk_access.hpp"
#include "broker-model/store/image_vfs.hpp"
#include "broker-model/store/sql_functions.hpp"
#include "broker-model/store/sql_parts.hpp"
#include "broker-model/store/statement_text.hpp"
#include "broker-model/store/table_shapes.hpp"
#include "messaging/ports/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct sqlite3;

// One SQLite connection to a database: prepared statements by their text, `$1` parameters,
// PostgreSQL's manners where SQLite has others (sequences, locking clauses, no SQL for
// transactions), and its errors as the store port names them. All of it is synchronous; time, turns
// and locks are the server's.

namespace crier::broker {

/// What a statement or commit came to.
struct SqlAnswer {
    Rows rows;
    StoreError error{}; ///< Zero: none.

    [[nodiscard]] bool is_ok() const { return error == StoreError{}; }
};

/// Which image a statement is run on. See `StatementText`.
enum class Show { snapshot, latest };

/// An open connection.
class SqlEngine {
public:
    /// Opens a connection that shows `image`. `sources` may be null: for the harness.
    SqlEngine(const PageImage& image, SqlSources* sources);

    /// Is as if just opened, but remembers what it has compiled. **Requires**: it had sources.
    void begin_anew(const PageImage& image, SqlSources& sources);

    /// Shows nothing, and can do nothing, until it begins anew.
    void forget_images();
    ~SqlEngine();
    SqlEngine(const SqlEngine&) = delete;
    SqlEngine& operator=(const SqlEngine&) = delete;

    /// Returns the text of a statement, or null if it is none; then `last_problem` says why.
    [[nodiscard]] const StatementText* text_of(const std::string& sql);

    /// Runs one statement to its end. A query with a locking clause puts the row ids of what it
    /// found into `found`. **Errors**: the image is what it was before.
    [[nodiscard]] SqlAnswer run(const std::string& sql, const std::vector<Value>& parameters,
                                Show show, std::vector<std::int64_t>& found);

    /// Runs a query that was made of a statement, with the statement's parameters as far as it has
    /// them, for the row ids that it tells.
    [[nodiscard]] std::vector<std::int64_t> row_ids(const std::string& sql,
                                                    const std::vector<Value>& parameters);

    /// As `run`, but refuses what writes.
    [[nodiscard]] SqlAnswer read(const std::string& sql);

    /// Whether the statement is one; runs nothing.
    [[nodiscard]] bool check(const std::string& sql);

    /// Returns what it shows as the snapshot, with all changes.
    [[nodiscard]] const PageImage& image() const { return snapshot_.image(); }
    /// Shows another image from now on.
    void show(PageImage image);

    /// The same of the image that statements see which have waited.
    [[nodiscard]] const PageImage& latest() const { return latest_.image(); }
    void show_latest(PageImage image) { latest_.show(std::move(image)); }

    /// Obeys foreign keys, as it does from the start, or not.
    void obey_foreign_keys(bool obey);

    /// Reads the schema of what it shows.
    [[nodiscard]] std::shared_ptr<const TableShapes> shapes();

    [[nodiscard]] sqlite3* connection() const { return connection_; }

    /// Returns the engine's words for the last error.
    [[nodiscard]] const std::string& last_problem() const { return problem_; }

private:
    struct Glue;

    /// A statement that is kept.
    struct Prepared {
        StatementText text;
        SqlStatement snapshot;
        SqlStatement latest; // compiled when it is needed
        NumberedParameters parameters;
        bool only_reads = false;
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
    [[nodiscard]] bool compile(Prepared& prepared);
    [[nodiscard]] bool number_parameters(Prepared& prepared);
    [[nodiscard]] SqlAnswer run(Prepared& prepared, const std::vector<Value>& parameters, Show show,
                                std::vector<std::int64_t>& found);
    [[nodiscard]] SqlAnswer fail(StoreError error, std::string problem);
    void read_schema();
    void seal_schema();
    [[nodiscard]] SqlAnswer make_sequence(const Prepared& prepared);

    ImageFile snapshot_;
    ImageFile latest_;
    SqlSources* sources_;
    sqlite3* connection_ = nullptr;
    std::optional<SqlFunctions> functions_;
    Cache cache_;
    bool trusted_ = false; // what is compiled is the store's own
    std::string problem_;
};

} // namespace crier::broker
