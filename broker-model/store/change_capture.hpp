#pragma once

#include "broker-model/store/change_log.hpp"
#include "broker-model/store/database.hpp"
#include "broker-model/store/listeners.hpp"
#include "broker-model/store/lock_table.hpp"
#include "broker-model/store/table_shapes.hpp"
#include "broker-model/store/watched_rows.hpp"

#include <string>
#include <vector>

struct sqlite3;
struct sqlite3_value;

// Sees what a statement changes, row by row: which locks that takes on a server with many writers,
// which rows are to be carried over to a newer image, and which watched rows come and go. It uses
// SQLite's preupdate hook, which fires for each row after the constraints were checked, implicit
// deletions and cascades included.

namespace crier::broker {

/// A row by its place.
struct RowPlace {
    std::uint32_t table = 0;
    std::int64_t row_id = 0;

    friend bool operator==(const RowPlace&, const RowPlace&) = default;
};

/// A lock that a change needs.
struct LockRequest {
    LockKey key;
    LockMode mode = LockMode::update;
    bool is_row = false; ///< It is on a row, which was there before; else on the value of a key.
    RowPlace row;        ///< If it is on a row: which; …
    std::size_t unique_key = 0; ///< … else which of the table's unique keys, …
    bool takes = false;         ///< … and whether the row has that value now; else it had it.
    RowPlace by;                ///< The row whose change needs it.

    friend bool operator==(const LockRequest&, const LockRequest&) = default;
};

/// A row that a transaction has changed.
struct ChangedRow {
    RowPlace place;
    bool is_new = false; ///< Nobody else has seen it.
    bool is_removed = false;
    bool is_replaced = false; ///< It was removed, and another row has its place since.

    friend bool operator==(const ChangedRow&, const ChangedRow&) = default;
};

/// Adds what a row has come to, behind what it came to before.
void note(std::vector<ChangedRow>& rows, const ChangedRow& row);

/// A row that refers to another since it was changed.
struct ReferringRow {
    RowPlace place;
    std::size_t reference = 0; ///< Index in the references of its table.
};

/// What statements have changed so far.
struct Changes {
    std::vector<LockRequest> locks;
    std::vector<ChangedRow> rows; ///< In the order of their first change.
    std::vector<ReferringRow> referring;
    std::vector<WatchedChange> watched;
    std::vector<InsertedRow> inserted; ///< If they are kept.
    std::vector<Notified> notified;

    void clear();
};

/// The capture on one connection; its hook is in place while this lives.
class ChangeCapture {
public:
    /// `world` may be null: then no row is watched.
    ChangeCapture(sqlite3* connection, const std::vector<RowWatch>& watches, sim::World* world);
    ~ChangeCapture();
    ChangeCapture(const ChangeCapture&) = delete;
    ChangeCapture& operator=(const ChangeCapture&) = delete;

    /// The connection shows tables of these shapes from now on.
    void set_shapes(std::shared_ptr<const TableShapes> shapes);

    /// Changes are added to `changes` from now on; null: to nothing. Inserted rows are kept with
    /// all their values if that is wanted.
    void set_changes(Changes* changes, bool keeps_inserted = false) {
        changes_ = changes;
        keeps_inserted_ = keeps_inserted;
    }

private:
    struct Glue;
    struct Watch {
        std::uint32_t index = 0;
        int identity = -1;
        int key = -1;
        int only = -1;
        std::vector<int> followed;
    };
    using Get = int (*)(sqlite3*, int, sqlite3_value**);

    [[nodiscard]] bool encode(const std::vector<int>& columns, Get get);
    void lock_row(const RowPlace& row, LockMode mode);
    void lock_key(std::size_t index, const RowPlace& by, bool takes);
    void note_references(const RowPlace& row, bool changed_only);
    void inserted(const RowPlace& row);
    void removed(const RowPlace& row);
    [[nodiscard]] Row values_of(const TableShape& shape) const;
    void updated(const RowPlace& from, const RowPlace& to);
    [[nodiscard]] std::optional<WatchedRow> watched_row(const Watch& watch, Get get);
    [[nodiscard]] FollowedValue operand(int column, Get get);

    sqlite3* connection_;
    const std::vector<RowWatch>& watches_;
    sim::World* world_;
    std::shared_ptr<const TableShapes> shapes_;
    std::vector<std::vector<Watch>> watches_of_; // by table
    Changes* changes_ = nullptr;
    bool keeps_inserted_ = false;
    std::string encoded_; // of the last key
    std::string other_;
};

} // namespace crier::broker
