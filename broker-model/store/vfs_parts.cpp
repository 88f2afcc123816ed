#include "broker-model/store/vfs_parts.hpp"

#include <charconv>
#include <cstdint>
#include <cstring>

namespace crier::broker {

namespace {

int full_name(sqlite3_vfs*, const char* name, int capacity, char* to) {
    sqlite3_snprintf(capacity, to, "%s", name);
    return SQLITE_OK;
}

// SQLite seeds a generator of the whole program from the default file system, never from these, and
// takes the salts of journals from it. They decide nothing: they are compared with what was copied
// from them, and neither a length nor a sync depends on them.
int randomness(sqlite3_vfs*, int length, char* to) {
    std::memset(to, 0, static_cast<std::size_t>(length));
    return length;
}
int sleep_not(sqlite3_vfs*, int) {
    return 0;
}
int no_time(sqlite3_vfs*, double* days) { // dates are the connection's own: see sql_functions
    *days = 0;
    return SQLITE_OK;
}
int no_error(sqlite3_vfs*, int, char*) {
    return 0;
}

} // namespace

int lock_nothing(sqlite3_file*, int) {
    return SQLITE_OK;
}
int is_not_reserved(sqlite3_file*, int* reserved) {
    *reserved = 0;
    return SQLITE_OK;
}
int control_nothing(sqlite3_file*, int, void*) {
    return SQLITE_NOTFOUND;
}

sqlite3_vfs virtual_file_system(const char* name, int file_bytes) {
    sqlite3_vfs system{};
    system.iVersion = 1;
    system.szOsFile = file_bytes;
    system.mxPathname = 512;
    system.zName = name;
    system.xFullPathname = full_name;
    system.xRandomness = randomness;
    system.xSleep = sleep_not;
    system.xCurrentTime = no_time;
    system.xGetLastError = no_error;
    return system;
}

std::string address_text(const void* address) {
    char text[2 * sizeof(std::uintptr_t)];
    const auto end =
        std::to_chars(text, text + sizeof text, reinterpret_cast<std::uintptr_t>(address), 16);
    return {text, end.ptr};
}

void* address_in(const char* name, const char* parameter) {
    const char* const text = name == nullptr ? nullptr : sqlite3_uri_parameter(name, parameter);
    if (text == nullptr) return nullptr;
    std::uintptr_t address = 0;
    std::from_chars(text, text + std::strlen(text), address, 16);
    return reinterpret_cast<void*>(address);
}

} // namespace crier::broker
