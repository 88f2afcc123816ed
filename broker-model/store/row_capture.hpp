#pragma once

#include "broker-model/store/commit_ledger.hpp"

#include <vector>

struct sqlite3;

// Sees what a connection changes in the watched tables, before anything is committed, and tells the
// ledger. It uses SQLite's preupdate hook, which fires for each row after the constraints were
// checked.

namespace crier::broker {

/// The watch over one connection; its hook is in place while this lives.
class RowCapture {
public:
    RowCapture(sqlite3* connection, const std::vector<RowWatch>& watches, CommitLedger& ledger);
    ~RowCapture();
    RowCapture(const RowCapture&) = delete;
    RowCapture& operator=(const RowCapture&) = delete;

    /// Looks the watched columns up; called when tables may have been made or changed.
    /// **Requires**: it may read the schema now (no hook is running).
    void schema_changed();

private:
    struct Glue;
    struct Columns {
        int identity = -1; ///< -1: no such table or column.
        int key = -1;
    };

    sqlite3* connection_;
    const std::vector<RowWatch>& watches_;
    CommitLedger& ledger_;
    std::vector<Columns> columns_; // by watch
};

} // namespace crier::broker
