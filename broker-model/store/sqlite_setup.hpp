#pragma once

#include <string>

namespace crier::broker {

/// Prepares SQLite for worlds on several threads: no memory statistics, no mutexes in connections,
/// and the virtual file system of the simulated disks. Called by the program before the first
/// world; calling it again does nothing. The one exception to "no global state".
void configure_sqlite();

/// Returns the version of the SQLite that runs, for reports: another one may give another history.
[[nodiscard]] std::string sqlite_version();

} // namespace crier::broker
