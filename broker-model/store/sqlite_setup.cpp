#include "broker-model/store/sqlite_setup.hpp"

#include "broker-model/store/embedded/disk_vfs.hpp"
#include "broker-model/store/image_vfs.hpp"

#include <sqlite3.h>

namespace crier::broker {

namespace {

bool configure() {
    // Refused when the program used SQLite before: then it is slower, and does the same.
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1); // in memory, not in a temporary file
    register_image_vfs();
    register_disk_vfs();
    return true;
}

} // namespace

void configure_sqlite() {
    static const bool done = configure();
    (void)done;
}

std::string sqlite_version() {
    return sqlite3_libversion();
}

} // namespace crier::broker
