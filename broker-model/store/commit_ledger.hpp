#pragma once

#include "broker-model/store/database.hpp"
#include "broker-model/store/disk_access.hpp"

#include <cstdint>
#include <vector>

// The world's truth about one database: which commits are durable and which watched rows they
// brought. It outlives the server's lives, so that after a death what was in doubt is decided by
// the disk: a commit that is in the log after all is recorded then, and one that a power loss took
// back is struck.

namespace crier::broker {

/// A new row of a watched table, as history operands.
struct WatchedRow {
    std::uint32_t watch = 0; ///< Index in `DatabaseOptions::watches`.
    std::uint64_t identity = 0;
    std::uint64_t key = 0;

    friend bool operator==(const WatchedRow&, const WatchedRow&) = default;
};

/// Commits of one database over all lives of its server.
class CommitLedger {
public:
    CommitLedger(sim::World& world, const DatabaseOptions& options, CommitMark& mark);

    [[nodiscard]] CommitMark& mark() const { return mark_; }
    [[nodiscard]] std::uint64_t commit_count() const { return commits_; }

    /// The open transaction inserted, removed or changed a row.
    void inserted(WatchedRow row) { pending_.push_back(row); }
    void removed(const WatchedRow& row);
    void changed(const WatchedRow& from, const WatchedRow& to);

    /// The open transaction is undone.
    void rolled_back() { pending_.clear(); }

    /// The open transaction of the node `client` was committed by `server`, as far as SQLite says.
    /// **Returns** whether it had written anything.
    bool committed(const sim::Process& server, std::uint32_t client);

    /// `server` starts over what its disk kept.
    void recovered(const sim::Process& server);

    [[nodiscard]] sim::World& world() const { return world_; }

private:
    struct Unsynced {
        std::uint64_t commit;
        WatchedRow row;
    };

    void record(const sim::Process& server, std::uint32_t client);

    sim::World& world_;
    CommitMark& mark_;
    std::uint64_t database_text_;
    std::vector<std::uint64_t> table_texts_; // by watch
    std::vector<WatchedRow> pending_;
    std::vector<Unsynced> unsynced_; // recorded, in the page cache only; by commit
    std::uint64_t commits_ = 0;
};

} // namespace crier::broker
