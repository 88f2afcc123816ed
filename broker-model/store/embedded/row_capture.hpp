#pragma once

#include "broker-model/store/database.hpp"
#include "broker-model/store/watched_rows.hpp"

#include <vector>

struct sqlite3;

namespace crier::broker {

/// Sees which watched rows come and go on one connection: its preupdate hook is in place while this
/// lives.
class RowCapture {
public:
    RowCapture(sqlite3* connection, const std::vector<RowWatch>& watches, sim::World& world);
    ~RowCapture();
    RowCapture(const RowCapture&) = delete;
    RowCapture& operator=(const RowCapture&) = delete;

    /// Looks the watched columns up again. **Requires** that the connection may run pragmas.
    void schema_changed();

    /// What was seen since `clear`, in order.
    [[nodiscard]] const std::vector<WatchedChange>& changes() const { return changes_; }
    void clear() { changes_.clear(); }

private:
    struct Glue;
    struct Columns {
        int identity = -1;
        int key = -1;
    };

    sqlite3* connection_;
    const std::vector<RowWatch>& watches_;
    sim::World& world_;
    std::vector<Columns> columns_; // by watch
    std::vector<WatchedChange> changes_;
};

} // namespace crier::broker
