#pragma once

#include "broker-model/store/disk_access.hpp"
#include "messaging/ports/store.hpp"

#include <string>

struct sqlite3;

namespace crier::broker {

/// What a database in a file would hold if its process died now: a copy of its file and journal,
/// recovered as SQLite recovers them. It leaves no trace on the disk that it was made from.
class FileCopy {
public:
    FileCopy(const sim::Disk& disk, const std::string& name);
    ~FileCopy();
    FileCopy(const FileCopy&) = delete;
    FileCopy& operator=(const FileCopy&) = delete;

    /// Adds what a query finds to `rows`, as far as it can be read. **Returns** what is wrong, in
    /// the engine's words; empty: nothing.
    [[nodiscard]] std::string read(const std::string& sql, Rows& rows);

    /// Returns the bytes of an SQLite file, for people to open; none when it cannot be read.
    [[nodiscard]] std::string bytes();

private:
    sim::Disk disk_;
    DiskAccess access_;
    sqlite3* connection_ = nullptr;
};

} // namespace crier::broker
