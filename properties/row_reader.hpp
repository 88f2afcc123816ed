#pragma once

#include "properties/index.hpp"
#include "properties/routes.hpp"
#include "sim/history.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

// Reads the stream of a history as the lives of followed rows: those of outboxes, of the rows that
// say which relay leads, and of inboxes. What they mean is for those that judge. Without observers
// it reads nothing.

namespace crier::properties {

/// A process in one of its lives.
struct Life {
    std::uint32_t node = 0;
    std::uint32_t number = 0;

    friend bool operator==(const Life&, const Life&) = default;
};

/// A followed row, or all of one table with one identity, which then count as one.
struct FollowedRow {
    enum class Table { outbox, leader, inbox };
    Table table = Table::outbox;
    std::uint32_t number = 0;  ///< 0, 1, 2 … in the order of first sight.
    std::size_t place = 0;     ///< Index of the outbox, or of the inbox's subscriber.
    std::uint64_t message = 0; ///< Its identity.
    std::uint64_t key = 0;
    std::uint32_t copies = 0; ///< 0: it is not there.

    // The columns, by their roles. What the table does not have stays as it is here.
    std::int64_t position = -1;
    std::int64_t epoch = -1;
    bool is_published = false;
    bool is_dead = false;
    std::uint64_t status = 0;
    std::uint64_t owner = 0;           ///< 0: nobody's.
    std::optional<std::int64_t> until; ///< In milliseconds since 1970.

    std::int64_t added_at = 0;  ///< Time, …
    std::uint64_t added_by = 0; ///< … and sequence of the event.
    Life holder;                ///< Who wrote the owner, or a status.
    std::int64_t held_since = 0;
    std::uint64_t held_by = 0; ///< Sequence of the event.
};

/// Told by a reader. Observers override what they need.
class RowObserver {
public:
    virtual ~RowObserver() = default;

    virtual void on_added(const FollowedRow&, const sim::Event&) {}
    virtual void on_changed(const FollowedRow& /*before*/, const FollowedRow& /*after*/,
                            const sim::Event&) {}
    virtual void on_removed(const FollowedRow& /*before*/, const sim::Event&) {}
    /// A power loss took it back.
    virtual void on_lost(const FollowedRow& /*before*/, const sim::Event&) {}
};

class RowReader {
public:
    explicit RowReader(const Routes& routes);

    /// Tells `observer`, after those added before it; it must outlive the reading.
    void add(RowObserver& observer) { observers_.push_back(&observer); }

    void read(const sim::Event& event);

    [[nodiscard]] const Topology& topology() const { return topology_; }
    [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(rows_.size()); }
    [[nodiscard]] const FollowedRow& row(std::uint32_t number) const { return rows_[number]; }

    /// Returns the number of the row of that outbox with that identity, which need not be there.
    [[nodiscard]] std::uint32_t outbox_row(std::size_t outbox, std::uint64_t message);

    /// Returns the row that says who leads the relays of that outbox, or null.
    [[nodiscard]] const FollowedRow* leader(std::size_t outbox) const;

    /// Returns the outboxes that are published to the channel of that partition.
    [[nodiscard]] std::span<const std::size_t> outboxes_of(std::uint64_t partition) const;

    /// Returns which process runs on the node now.
    [[nodiscard]] Life life_of(std::uint32_t node) const { return {node, lives_.get(node)}; }

    /// Returns who asked for the last commit of that database.
    [[nodiscard]] Life committer(std::uint32_t database) const { return committers_.get(database); }

    /// Whether the message of an inbox's row is done, or in work.
    [[nodiscard]] bool is_done(const FollowedRow& row) const;
    [[nodiscard]] bool is_working(const FollowedRow& row) const { return row.status == working_; }

private:
    struct Place {
        FollowedRow::Table table;
        std::size_t index;
    };
    struct Roles {
        Roles();
        std::uint64_t position, epoch, published, dead, status, owner, until;
    };

    std::uint32_t enter(std::uint64_t table, const Place& place, std::uint64_t message);
    void column(const Place& place, const sim::Event& event);
    void closed(const Place& place, const sim::Event& event);

    const Routes& routes_;
    const Topology& topology_;
    std::map<std::uint64_t, Place> places_;                      // by table
    std::map<std::size_t, std::vector<std::size_t>> by_channel_; // outboxes
    std::vector<std::optional<std::uint32_t>> leaders_;          // rows, by outbox
    std::vector<RowObserver*> observers_;
    Index index_;
    std::vector<FollowedRow> rows_;
    std::optional<FollowedRow> pending_; // columns of it were told, and it will be closed next
    ByNumber<std::uint32_t> lives_;      // by node: how often it has died
    ByNumber<Life> committers_;          // by node
    Roles roles_;
    std::uint64_t done_;
    std::uint64_t working_;
};

} // namespace crier::properties
