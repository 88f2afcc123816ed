#pragma once

#include <sqlite3.h>
#include <string>

// What the virtual file systems of the simulation do alike: they have no locks, since a file has
// one connection at a time, no clock and no random numbers of their own, and are told by an address
// in the file's name what is behind it.

namespace crier::broker {

// For `sqlite3_io_methods`.
int lock_nothing(sqlite3_file*, int);
int is_not_reserved(sqlite3_file*, int* reserved);
int control_nothing(sqlite3_file*, int, void*);

/// Returns a file system that has all but its ways to open, delete and find a file. Its open files
/// take `file_bytes` of SQLite's memory each.
[[nodiscard]] sqlite3_vfs virtual_file_system(const char* name, int file_bytes);

/// Returns the address as a parameter of a file's URI, which `address_in` finds again in the file's
/// name, or null. It never decides anything, it is only handed through.
[[nodiscard]] std::string address_text(const void* address);
[[nodiscard]] void* address_in(const char* name, const char* parameter);

} // namespace crier::broker
