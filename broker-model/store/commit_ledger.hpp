#pragma once

#include "broker-model/store/commit_log.hpp"
#include "broker-model/store/database.hpp"

#include <cstdint>
#include <vector>

// The world's truth about one database: which commits are durable and which watched rows they
// brought. It outlives the server's lives, so that after a death what was in doubt is decided by
// the disk: a commit that is in the log after all is recorded then, and one that a power loss took
// back is struck.

namespace crier::broker {

/// Commits of one database over all lives of its server.
class CommitLedger {
public:
    CommitLedger(sim::World& world, const DatabaseOptions& options, CommitLog& log);

    [[nodiscard]] CommitLog& log() const { return log_; }
    [[nodiscard]] std::uint64_t commit_count() const { return commits_; }

    /// A living `server` has written this commit.
    void committed(const sim::Process& server, const Commit& commit);

    /// `server` starts over what its disk kept.
    void recovered(const sim::Process& server);

private:
    struct Unsynced {
        std::uint64_t commit;
        WatchedChange change;
    };
    /// A watch in the history's terms.
    struct Watch {
        std::uint64_t table;
        std::vector<std::uint64_t> followed;
    };

    void tell_change(const sim::Process& server, const WatchedChange& change);
    void tell_loss(const sim::Process& server, const WatchedChange& change);

    sim::World& world_;
    CommitLog& log_;
    std::uint64_t database_text_;
    std::vector<Watch> watches_;     // of the options
    std::vector<Unsynced> unsynced_; // recorded, in the page cache only; by commit
    std::uint64_t commits_ = 0;
};

} // namespace crier::broker
