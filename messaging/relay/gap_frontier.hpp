#pragma once

#include "messaging/relay_options.hpp"

#include <cstdint>
#include <deque>
#include <optional>

// How far up the positions of an outbox nothing new can appear. Positions are handed out at the
// insert and rows appear at the commit, so a position that is missing below a visible row may have
// been rolled back, or may yet appear. Every transaction that can still bring it has a number when
// the higher row is seen; a number that is handed out after that is greater than theirs. When the
// oldest running transaction has reached it, they have all ended, and what then is missing stays
// so. The database's own upper bound (`pg_snapshot_xmax`) is no such number: it follows the ends of
// transactions, and may be below that of one that runs. Plain data.

namespace crier::messaging {

class GapFrontier {
public:
    /// Nothing new appears at `decided` and below.
    GapFrontier(CursorGaps gaps, Duration wait, std::int64_t decided)
        : gaps_(gaps), wait_(wait), decided_(decided) {}

    /// A transaction got `number` after everything that was seen so far.
    void numbered(std::int64_t number);

    /// A read is about to be looked at in whose snapshot `oldest_running` is the least number of a
    /// running transaction. **Requires** that the rows come from the same snapshot.
    void snapshot(std::int64_t oldest_running, Instant now);

    /// The next visible row. **Returns** whether everything below it is decided; if not, no row
    /// above it is either.
    bool reaches(std::int64_t position);

    /// The read ended at `highest`, behind a position that is not decided.
    void saw(std::int64_t highest, Instant now);

    /// Nothing is visible beyond what is decided, so nothing need be waited for.
    void saw_nothing() { seen_.clear(); }

    [[nodiscard]] std::int64_t decided() const { return decided_; }
    [[nodiscard]] bool is_waiting() const { return !seen_.empty(); }

private:
    struct Seen {
        std::int64_t highest = 0;
        Instant at;
        std::optional<std::int64_t> number; ///< Greater than those of all that may bring less.
    };

    [[nodiscard]] bool is_over(const Seen& seen, std::int64_t oldest_running, Instant now) const;

    CursorGaps gaps_;
    Duration wait_;
    std::int64_t decided_;
    std::deque<Seen> seen_; ///< Ascending.
};

} // namespace crier::messaging
