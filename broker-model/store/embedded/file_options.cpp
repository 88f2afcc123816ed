#include "broker-model/store/embedded/file_options.hpp"

namespace crier::broker {

std::vector<std::string> FileOptions::validate() const {
    std::vector<std::string> problems;
    if (name.empty()) problems.emplace_back("a database needs a name");
    const bool power_of_two = page_size > 0 && (page_size & (page_size - 1)) == 0;
    if (!power_of_two || page_size < 512 || page_size > 32768)
        problems.emplace_back("page size: expected a power of two from 512 to 32768");
    if (checkpoint_pages < 1) problems.emplace_back("checkpoint pages: expected 1 or more");
    for (const RowWatch& watch : watches) {
        if (watch.table.empty() || watch.identity.empty())
            problems.emplace_back("a watch needs a table and the column of the identity");
    }
    return problems;
}

const char* name_of(JournalMode mode) {
    switch (mode) {
    case JournalMode::wal: return "wal";
    case JournalMode::deleted: return "delete";
    case JournalMode::truncate: return "truncate";
    case JournalMode::persist: return "persist";
    case JournalMode::memory: return "memory";
    case JournalMode::off: return "off";
    }
    return "unknown";
}

const char* name_of(FileSync sync) {
    switch (sync) {
    case FileSync::off: return "off";
    case FileSync::normal: return "normal";
    case FileSync::full: return "full";
    case FileSync::extra: return "extra";
    }
    return "unknown";
}

} // namespace crier::broker
