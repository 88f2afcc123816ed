#pragma once

#include "broker-model/store/disk_access.hpp"
#include "broker-model/store/table_shapes.hpp"
#include "messaging/ports/store.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

// What a server's disk keeps for those who read its changes: the rows that commits inserted, as far
// as somebody may ask for them again, and how far each slot was confirmed when that was last
// written. Without slots it is empty.

namespace crier::broker {

/// A row as it was inserted.
struct InsertedRow {
    std::shared_ptr<const TableShapes> shapes; ///< Of then.
    std::uint32_t table = 0;
    Row values; ///< Of all its columns.
};

/// What one commit inserted; at least one row.
struct InsertedRows {
    std::uint64_t commit = 0;
    std::shared_ptr<const std::vector<InsertedRow>> rows;
};

/// Part of the log of commits, whose fate it shares.
class ChangeLog {
public:
    /// The commit up to which each slot was confirmed, by the slot's name.
    using Slots = std::map<std::string, std::uint64_t>;

    [[nodiscard]] const Slots& slots() const { return slots_; }

    /// Adds what the newest commit inserted. **Requires** a slot, or one that is being made.
    void add(std::uint64_t commit, std::vector<InsertedRow> rows);

    /// Commits after `commit` were taken back.
    void lose_after(std::uint64_t commit);

    /// Writes down how far a slot is confirmed, for good; it is there from then on. What no slot
    /// asks for any more is forgotten. **Errors**: as it was before.
    [[nodiscard]] IoResult save(DiskAccess& access, const std::string& slot,
                                std::uint64_t confirmed);

    /// Forgets what no slot asks for.
    void forget_unasked();

    /// Returns the commits after `after` and up to `last`, oldest first: so many that they come to
    /// `max` rows, when the begin and end of each count as such.
    /// **Source**: PostgreSQL logicalfuncs.c, `upto_nchanges`.
    [[nodiscard]] std::vector<InsertedRows> read(std::uint64_t after, std::uint64_t last,
                                                 std::size_t max) const;

    [[nodiscard]] std::size_t size() const { return commits_.size(); }

private:
    Slots slots_;
    std::deque<InsertedRows> commits_;
};

} // namespace crier::broker
