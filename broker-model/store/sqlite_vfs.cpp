#include "broker-model/store/sqlite_vfs.hpp"

#include "broker-model/store/sqlite_setup.hpp"
#include "messaging/ports/ensure.hpp"

#include <charconv>
#include <cstring>
#include <sqlite3.h>
#include <vector>

namespace crier::broker {

namespace {

constexpr const char* access_parameter = "access";
constexpr int log_frame_header = 24;

/// An open file, in memory that SQLite provides.
struct OpenFile {
    sqlite3_file base; // first: SQLite sees only this
    DiskAccess* access;
    sim::File* file;
    bool is_log;
    bool commits; // the frame whose content comes next ends a transaction
};

OpenFile& of(sqlite3_file* file) {
    return *reinterpret_cast<OpenFile*>(file);
}

// The address never decides anything, it is only handed through.
DiskAccess* access_of(const char* name) {
    const char* const text =
        name == nullptr ? nullptr : sqlite3_uri_parameter(name, access_parameter);
    if (text == nullptr) return nullptr;
    std::uintptr_t address = 0;
    std::from_chars(text, text + std::strlen(text), address, 16);
    return reinterpret_cast<DiskAccess*>(address);
}

int code_of(IoResult result, int when_dead) {
    switch (result) {
    case IoResult::done: return SQLITE_OK;
    case IoResult::full: return SQLITE_FULL;
    case IoResult::dead: return when_dead;
    }
    return when_dead;
}

int close_file(sqlite3_file*) {
    return SQLITE_OK;
}

int read_file(sqlite3_file* handle, void* to, int length, sqlite3_int64 offset) {
    const OpenFile& file = of(handle);
    if (file.access->is_dead()) return SQLITE_IOERR_READ;
    const auto wanted = static_cast<std::size_t>(length);
    auto* const bytes = static_cast<std::byte*>(to);
    const std::size_t count = file.file->read(static_cast<std::size_t>(offset), bytes, wanted);
    if (count == wanted) return SQLITE_OK;
    std::memset(bytes + count, 0, wanted - count);
    return SQLITE_IOERR_SHORT_READ;
}

// A frame is a header and a page, written in this order; a header whose second word (the size of
// the database after the commit) is not zero marks the last frame of a transaction.
// **Source**: SQLite database file format, section 4.1.
int write_file(sqlite3_file* handle, const void* from, int length, sqlite3_int64 offset) {
    OpenFile& file = of(handle);
    const auto* const bytes = static_cast<const std::byte*>(from);
    const IoResult result = file.access->write(*file.file, static_cast<std::size_t>(offset), bytes,
                                               static_cast<std::size_t>(length));
    if (result == IoResult::done && file.is_log) {
        if (length == log_frame_header) {
            std::uint32_t size = 0;
            std::memcpy(&size, bytes + 4, sizeof size);
            file.commits = size != 0;
        } else if (std::exchange(file.commits, false) && file.access->mark() != nullptr) {
            file.access->mark()->written = file.access->mark()->next;
        }
    }
    return code_of(result, SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* handle, sqlite3_int64 size) {
    const OpenFile& file = of(handle);
    return code_of(file.access->truncate(*file.file, static_cast<std::size_t>(size)),
                   SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* handle, int) {
    const OpenFile& file = of(handle);
    const IoResult result = file.access->sync(*file.file);
    CommitMark* const mark = file.access->mark();
    if (result == IoResult::done && file.is_log && mark != nullptr) mark->synced = mark->written;
    return code_of(result, SQLITE_IOERR_FSYNC);
}

int size_of_file(sqlite3_file* handle, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(of(handle).file->size());
    return SQLITE_OK;
}

// One connection has the files for itself.
int lock_file(sqlite3_file*, int) {
    return SQLITE_OK;
}
int check_lock(sqlite3_file*, int* reserved) {
    *reserved = 0;
    return SQLITE_OK;
}
int control_file(sqlite3_file*, int, void*) {
    return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
    return 512;
}
int characteristics(sqlite3_file*) {
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
}

constexpr sqlite3_io_methods file_methods{
    1,         close_file, read_file,  write_file,   truncate_file, sync_file,       size_of_file,
    lock_file, lock_file,  check_lock, control_file, sector_size,   characteristics, nullptr,
    nullptr,   nullptr,    nullptr,    nullptr,      nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* handle, int flags, int* flags_out) {
    OpenFile& file = of(handle);
    file.base.pMethods = nullptr;               // SQLite closes only what has methods
    DiskAccess* const access = access_of(name); // none: a temporary file, which belongs in memory
    if (access == nullptr || access->is_dead()) return SQLITE_CANTOPEN;
    file.access = access;
    file.file = &access->disk().open(name);
    file.is_log = (flags & SQLITE_OPEN_WAL) != 0;
    file.commits = false;
    file.base.pMethods = &file_methods;
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int) {
    DiskAccess* const access = access_of(name);
    if (access == nullptr) return SQLITE_IOERR_DELETE;
    if (!access->disk().exists(name)) return SQLITE_IOERR_DELETE_NOENT;
    return code_of(access->remove(name), SQLITE_IOERR_DELETE);
}

int access_file(sqlite3_vfs*, const char* name, int, int* result) {
    const DiskAccess* const access = access_of(name);
    *result =
        access != nullptr && access->disk().exists(name) && access->disk().open(name).size() > 0;
    return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int capacity, char* to) {
    sqlite3_snprintf(capacity, to, "%s", name);
    return SQLITE_OK;
}

// SQLite seeds a generator of the whole process from the default file system, and uses it for salts
// in files only; SQL's own random() and dates are the connection's, see sql_functions.
int randomness(sqlite3_vfs*, int length, char* to) {
    std::memset(to, 0, static_cast<std::size_t>(length));
    return length;
}
int sleep_not(sqlite3_vfs*, int) {
    return 0;
}
int no_time(sqlite3_vfs*, double* days) {
    *days = 0;
    return SQLITE_OK;
}
int no_error(sqlite3_vfs*, int, char*) {
    return 0;
}

bool register_file_system() {
    // Refused when the program used SQLite before: then it is slower, and does the same.
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    static sqlite3_vfs file_system{};
    file_system.iVersion = 1;
    file_system.szOsFile = sizeof(OpenFile);
    file_system.mxPathname = 512;
    file_system.zName = vfs_name;
    file_system.xOpen = open_file;
    file_system.xDelete = delete_file;
    file_system.xAccess = access_file;
    file_system.xFullPathname = full_name;
    file_system.xRandomness = randomness;
    file_system.xSleep = sleep_not;
    file_system.xCurrentTime = no_time;
    file_system.xGetLastError = no_error;
    const int result = sqlite3_vfs_register(&file_system, 0);
    ensure(result == SQLITE_OK, "SQLite takes the file system");
    return true;
}

void put_big_endian(std::vector<std::byte>& page, std::size_t offset, std::uint32_t value,
                    int width) {
    for (int at = 0; at < width; ++at) {
        page[offset + static_cast<std::size_t>(at)] =
            static_cast<std::byte>(value >> (8 * (width - 1 - at)));
    }
}

} // namespace

std::string sqlite_version() {
    return sqlite3_libversion();
}

void configure_sqlite() {
    static const bool done = register_file_system();
    (void)done;
}

std::string sqlite_uri(DiskAccess& access, std::string_view file) {
    char address[2 * sizeof(std::uintptr_t)];
    const auto end = std::to_chars(address, address + sizeof address,
                                   reinterpret_cast<std::uintptr_t>(&access), 16);
    std::string uri = "file:";
    uri.append(file).append("?").append(access_parameter).append("=").append(address, end.ptr);
    return uri;
}

std::string log_name(std::string_view file) {
    return std::string(file) + "-wal";
}

void lay_empty_database(sim::Disk& disk, std::string_view file, int page_size) {
    constexpr std::string_view magic = "SQLite format 3";
    const auto size = static_cast<std::uint32_t>(page_size);
    std::vector<std::byte> page(size);
    std::memcpy(page.data(), magic.data(), magic.size()); // and a zero
    put_big_endian(page, 16, size, 2);
    put_big_endian(page, 18, 0x0202, 2);     // written and read through a write-ahead log
    put_big_endian(page, 20, 0x00402020, 4); // payload fractions, which are fixed
    put_big_endian(page, 24, 1, 4);          // changes
    put_big_endian(page, 28, 1, 4);          // pages
    put_big_endian(page, 44, 4, 4);          // schema format
    put_big_endian(page, 56, 1, 4);          // UTF-8
    put_big_endian(page, 92, 1, 4);          // the page count is valid for this number of changes
    put_big_endian(page, 96, SQLITE_VERSION_NUMBER, 4);
    put_big_endian(page, 100, 0x0D, 1); // an empty leaf of the schema's table
    put_big_endian(page, 105, size, 2); // where its content would begin
    sim::File& data = disk.open(file);
    data.write(0, page.data(), page.size());
    data.sync();
}

} // namespace crier::broker
