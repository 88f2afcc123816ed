#pragma once

#include "broker-model/store/change_log.hpp"
#include "broker-model/store/disk_access.hpp"
#include "broker-model/store/page_image.hpp"
#include "broker-model/store/watched_rows.hpp"

#include <cstdint>
#include <deque>
#include <vector>

// The commits of one database as its disk keeps them: a database is the image after its last
// commit. A log of pages would say the same in more words; what matters is which commits a loss of
// power takes back, and that each is kept whole or not at all. The log file beside it takes the
// writes and syncs, so that faults find them.

namespace crier::broker {

/// The database after a commit.
struct Commit {
    std::uint64_t number = 0; ///< From 1 in the order of commits; 0: as the schema left it.
    std::uint32_t client = 0; ///< The node that asked for it.
    /// Counts the promotions before it: commits of one timeline follow one another.
    std::uint64_t timeline = 0;
    PageImage image;
    std::vector<WatchedChange> changes; ///< Of watched rows.
    std::vector<InsertedRow> inserted;  ///< For readers of changes; empty once it is written.
};

/// The state on the disk. It shares the disk's fate.
class CommitLog final : public sim::DurableState {
public:
    /// The last commit in the page cache.
    [[nodiscard]] const Commit& written() const {
        return unsynced_.empty() ? synced_ : unsynced_.back();
    }
    /// The last commit on the platter.
    [[nodiscard]] const Commit& synced() const { return synced_; }

    /// Returns the commits after `number`, oldest first, as far as they are kept singly: those that
    /// are not on the platter, and the last one that is.
    [[nodiscard]] std::vector<Commit> after(std::uint64_t number) const;

    /// What is kept for readers of changes.
    [[nodiscard]] ChangeLog& changes() { return changes_; }
    [[nodiscard]] const ChangeLog& changes() const { return changes_; }

    /// Slots, and what was kept for them, are gone.
    void forget_changes() { changes_ = ChangeLog(); }

    void lay(PageImage image) { synced_.image = std::move(image); }

    /// Writes a commit into the log. **Errors**: it is not there.
    [[nodiscard]] IoResult write(DiskAccess& access, Commit commit);

    /// Brings everything to the platter. **Errors**: as far as it was before.
    [[nodiscard]] IoResult sync(DiskAccess& access);

    /// What was not synced is gone, or the later part of it, since a log is written in order.
    std::uint64_t lose_unsynced(std::optional<sim::Draw> draw) override;

private:
    Commit synced_;
    std::deque<Commit> unsynced_;
    ChangeLog changes_;
};

} // namespace crier::broker
