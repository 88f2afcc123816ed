#pragma once

#include "broker-model/store/commit_log.hpp"
#include "broker-model/store/database.hpp"

#include <cstdint>
#include <vector>

// The world's truth about one database: which commits are durable and which watched rows they
// brought. It outlives the server's lives, so that after a death what was in doubt is decided by
// the disk: a commit that is in the log after all is recorded then, and one that a power loss took
// back is struck, or one that a promoted replica never had. A number is never given again.

namespace crier::broker {

/// Commits of one database over all lives of its server.
class CommitLedger {
public:
    /// `logs` are those of the database's nodes; the first is the primary's.
    CommitLedger(sim::World& world, const DatabaseOptions& options, std::vector<CommitLog*> logs);

    /// The primary's log.
    [[nodiscard]] CommitLog& log() const { return *log_; }
    [[nodiscard]] CommitLog& log_of(std::size_t node) const { return *logs_[node]; }
    [[nodiscard]] std::uint64_t commit_count() const { return commits_; }

    /// A living `server` has written this commit.
    void committed(const sim::Process& server, const Commit& commit);

    /// `server` starts over what its disk kept.
    void recovered(const sim::Process& server);

    /// `server`, on that node, is the primary from now on.
    void promoted(const sim::Process& server, std::size_t node);

private:
    /// What may still be lost.
    struct Unsafe {
        std::uint64_t commit;
        WatchedChange change;
    };
    /// A watch in the history's terms.
    struct Watch {
        std::uint64_t table;
        std::vector<std::uint64_t> followed;
    };

    [[nodiscard]] std::uint64_t safe() const;
    void tell_change(const sim::Process& server, const WatchedChange& change);
    void tell_loss(const sim::Process& server, const WatchedChange& change, bool by_promotion);

    sim::World& world_;
    std::vector<CommitLog*> logs_; // by node
    CommitLog* log_;
    std::uint64_t database_text_;
    std::vector<Watch> watches_; // of the options
    std::vector<Unsafe> unsafe_; // recorded, and not on every platter; by commit
    bool was_promoted_ = false;  // and has not begun yet
    std::uint64_t commits_ = 0;
};

} // namespace crier::broker
