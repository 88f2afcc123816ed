#pragma once

#include "broker-model/store/database.hpp"

#include <string>
#include <vector>

namespace crier::broker {

/// SQLite's `journal_mode`: how a transaction is undone after a crash.
enum class JournalMode { wal, deleted, truncate, persist, memory, off };

/// SQLite's `synchronous`: when it waits for the platter.
enum class FileSync { off, normal, full, extra };

/// Settings of a database in a file. What the SQLite adapter of `messaging` sets is the default.
struct FileOptions {
    std::string name; ///< Also of the file.
    JournalMode journal_mode = JournalMode::wal;
    FileSync synchronous = FileSync::full;
    int checkpoint_pages = 1000; ///< SQLite's wal_autocheckpoint.
    int page_size = 4096;        ///< Bytes; a power of two from 512 to 32768.
    std::vector<RowWatch> watches;

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// Returns SQLite's word: `delete`.
[[nodiscard]] const char* name_of(JournalMode mode);
[[nodiscard]] const char* name_of(FileSync sync);

} // namespace crier::broker
