#pragma once

#include "broker-model/store/disk_access.hpp"

#include <string>
#include <string_view>

// SQLite's virtual file system over simulated disks, as its own for Unix is over Linux: what it
// syncs, and which names. A connection carries the way to its disk in its file name, so there is no
// registry of worlds. Locks are none: a file has one connection at a time.

namespace crier::broker {

/// Name under which the file system is known to SQLite.
inline constexpr const char* disk_vfs_name = "crier-disk";

/// Makes the file system known to SQLite. For `configure_sqlite`.
void register_disk_vfs();

/// Returns the name by which SQLite opens `file` on that disk, for `sqlite3_open_v2` with
/// `SQLITE_OPEN_URI`. `access` must outlive the connection.
[[nodiscard]] std::string disk_uri(DiskAccess& access, std::string_view file);

} // namespace crier::broker
