#pragma once

#include "broker-model/store/embedded/file_options.hpp"
#include "broker-model/store/watched_rows.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

// The world's truth about one database in a file: which watched rows are in it. It outlives the
// lives of the process that has the file. What a death leaves in doubt is never assumed: the next
// life reads what SQLite makes of the file, and a row that is there after all is told then, and one
// that is not any more, whatever took it, is struck.

namespace crier::broker {

class FileLedger {
public:
    /// `commits` counts those of all files of the database.
    FileLedger(sim::World& world, const FileOptions& options, std::uint64_t& commits);

    /// A transaction with these changes is about to be committed: from here on it is in doubt.
    void committing(const std::vector<WatchedChange>& changes) { in_doubt_ = changes; }

    /// SQLite says that it is committed, and a living `process` heard it. `wrote`: it changed
    /// something.
    void committed(const sim::Process& process, bool wrote);

    /// It was not, for certain.
    void not_committed() { in_doubt_.clear(); }

    /// `process` begins to use the file, as `disk` has it.
    void recovered(const sim::Process& process, const sim::Disk& disk);

private:
    /// A watched row by what it says; there may be several alike.
    struct Row {
        std::uint32_t watch;
        std::uint64_t identity;
        std::uint64_t key;

        friend auto operator<=>(const Row&, const Row&) = default;
    };
    struct Count {
        std::int64_t told = 0;    ///< As durable, and not as lost.
        std::int64_t present = 0; ///< In the file, as far as is known.
    };

    using Rows = std::map<Row, std::int64_t>;

    [[nodiscard]] static Row row_of(const WatchedRow& row);
    [[nodiscard]] Rows read(const sim::Disk& disk);
    void tell(const sim::Process& process, const Row& row);
    void note(const std::vector<WatchedChange>& changes);

    sim::World& world_;
    const FileOptions& options_;
    std::uint64_t& commits_;
    std::uint64_t database_text_;
    std::vector<std::uint64_t> table_texts_; // by watch
    std::map<Row, Count> rows_;
    std::vector<WatchedChange> in_doubt_;
};

} // namespace crier::broker
