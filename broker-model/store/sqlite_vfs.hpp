#pragma once

#include "broker-model/store/disk_access.hpp"

#include <string>
#include <string_view>

// SQLite's virtual file system over simulated disks. A connection carries the way to its disk in
// its file name, so there is no registry of worlds. It knows one thing of SQLite's own formats:
// where the frame stands in a write-ahead log that commits a transaction.

namespace crier::broker {

/// Name under which the file system is registered by `configure_sqlite`.
inline constexpr const char* vfs_name = "crier";

/// Returns the name by which SQLite opens `file` on that disk, for `sqlite3_open_v2` with
/// `SQLITE_OPEN_URI`. `access` must outlive the connection.
[[nodiscard]] std::string sqlite_uri(DiskAccess& access, std::string_view file);

/// Returns the name of the write-ahead log of a database file.
[[nodiscard]] std::string log_name(std::string_view file);

/// Lays an empty database in WAL mode on the disk, durable at once.
/// **Source**: SQLite database file format, sections 1.3 and 1.6.
void lay_empty_database(sim::Disk& disk, std::string_view file, int page_size);

} // namespace crier::broker
