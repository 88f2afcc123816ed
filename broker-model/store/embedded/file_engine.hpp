#pragma once

#include "broker-model/store/disk_access.hpp"
#include "broker-model/store/embedded/file_options.hpp"
#include "broker-model/store/embedded/row_capture.hpp"
#include "broker-model/store/sql_functions.hpp"
#include "broker-model/store/sql_parts.hpp"
#include "messaging/ports/result.hpp"
#include "messaging/ports/store.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// One SQLite connection to a file on a simulated disk, with what the SQLite adapter of `messaging`
// adds: `$1` parameters, sequences in a table, errors by the port's names. All of it is
// synchronous; time and turns are the store's.

namespace crier::broker {

/// An open connection of a living process, with at most one transaction.
class FileEngine final : private SqlSources {
public:
    /// Opens the file, made when it is not there, and recovers what was left of it.
    /// **Errors**: the disk fails or is full, or the file is none of SQLite's.
    [[nodiscard]] static Outcome<std::unique_ptr<FileEngine>> open(sim::Node& node,
                                                                   const FileOptions& options);
    ~FileEngine() override;

    /// Opens a transaction that may write.
    [[nodiscard]] Outcome<void> begin();

    /// Runs one statement in it.
    [[nodiscard]] Outcome<Rows> run(const std::string& sql, const std::vector<Value>& parameters);

    /// **Errors**: unknown when the disk failed under it: whether what is in the file counts shows
    /// when it is read again.
    [[nodiscard]] Outcome<void> commit();

    /// Undoes the open transaction, if any.
    void rollback();

    /// What the transaction did to watched rows so far.
    [[nodiscard]] const std::vector<WatchedChange>& changes() const { return capture_->changes(); }
    /// Whether the transaction changed anything.
    [[nodiscard]] bool wrote() const;

    /// Whether the disk or the file failed under it: it is not to be trusted again.
    [[nodiscard]] bool is_broken() const { return broken_; }

    /// Returns the engine's words for the last error.
    [[nodiscard]] const std::string& last_problem() const { return problem_; }

private:
    struct Glue;
    enum class Step { open, statement, commit };
    struct Prepared {
        SqlStatement statement; // none: it makes a sequence
        NumberedParameters parameters;
        bool changes_schema = false;
        SequenceStatement sequence;
    };

    FileEngine(sim::Node& node, const FileOptions& options);

    int configure();
    int set_journal_mode();
    int run_own(const char* sql);
    [[nodiscard]] SqlStatement compile_own(const char* sql);
    [[nodiscard]] Prepared* prepare(const std::string& sql);
    [[nodiscard]] Outcome<Rows> make_sequence(const SequenceStatement& sequence);
    [[nodiscard]] Failure fail(int code, Step step);
    [[nodiscard]] Failure fail_with(std::string problem);
    void schema_changed();

    std::uint64_t random(std::uint64_t index) override;
    WallTime wall_now() override;
    SequenceResult next_value(std::string_view sequence, std::int64_t& value) override;
    SequenceResult create_sequence(std::string_view name) override;

    sim::Node& node_;
    const FileOptions& options_;
    DiskAccess access_;
    sqlite3* connection_ = nullptr;
    std::optional<SqlFunctions> functions_;
    std::optional<RowCapture> capture_;
    std::map<std::string, Prepared, std::less<>> prepared_;
    std::uint64_t statement_ = 0;     // hash of the text of the one that runs
    std::int64_t changes_before_ = 0; // of the transaction
    bool trusted_ = false;            // what is compiled is the engine's own
    bool compiling_schema_ = false;
    bool schema_touched_ = false; // by the transaction
    bool broken_ = false;
    std::string problem_;
};

} // namespace crier::broker
