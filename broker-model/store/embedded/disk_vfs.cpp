#include "broker-model/store/embedded/disk_vfs.hpp"

#include "broker-model/store/vfs_parts.hpp"
#include "messaging/ports/ensure.hpp"

#include <cstring>
#include <memory>
#include <new>
#include <sqlite3.h>

namespace crier::broker {

namespace {

constexpr const char* access_parameter = "access";

/// What is behind an open file.
struct OpenFile {
    DiskAccess* access;
    std::shared_ptr<sim::File> file; // also when its name is gone
    bool name_is_new;                // its directory is to be synced with it
};

/// An open file, in memory that SQLite provides.
struct Handle {
    sqlite3_file base; // first: SQLite sees only this
    OpenFile opened;
};

OpenFile& of(sqlite3_file* file) {
    return reinterpret_cast<Handle*>(file)->opened;
}

DiskAccess* access_of(const char* name) {
    return static_cast<DiskAccess*>(address_in(name, access_parameter));
}

int code_of(IoResult result, int when_failed) {
    switch (result) {
    case IoResult::done: return SQLITE_OK;
    case IoResult::full: return SQLITE_FULL;
    case IoResult::failed:
    case IoResult::dead: return when_failed;
    }
    return when_failed;
}

int close_file(sqlite3_file* handle) {
    std::destroy_at(&of(handle));
    return SQLITE_OK;
}

int read_file(sqlite3_file* handle, void* to, int length, sqlite3_int64 offset) {
    const OpenFile& file = of(handle);
    const auto wanted = static_cast<std::size_t>(length);
    auto* const bytes = static_cast<std::byte*>(to);
    std::size_t count = 0;
    const IoResult result =
        file.access->read(*file.file, static_cast<std::size_t>(offset), bytes, wanted, count);
    if (result != IoResult::done) return SQLITE_IOERR_READ;
    if (count == wanted) return SQLITE_OK;
    std::memset(bytes + count, 0, wanted - count);
    return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* handle, const void* from, int length, sqlite3_int64 offset) {
    const OpenFile& file = of(handle);
    const IoResult result =
        file.access->write(*file.file, static_cast<std::size_t>(offset),
                           static_cast<const std::byte*>(from), static_cast<std::size_t>(length));
    return code_of(result, SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* handle, sqlite3_int64 size) {
    const OpenFile& file = of(handle);
    return code_of(file.access->truncate(*file.file, static_cast<std::size_t>(size)),
                   SQLITE_IOERR_TRUNCATE);
}

// The first sync of a journal that was made brings its name to the platter, too.
// **Source**: SQLite's os_unix.c, unixSync and UNIXFILE_DIRSYNC.
int sync_file(sqlite3_file* handle, int) {
    OpenFile& file = of(handle);
    IoResult result = file.access->sync(*file.file);
    if (result == IoResult::done && file.name_is_new) {
        result = file.access->sync_directory();
        file.name_is_new = result != IoResult::done;
    }
    return code_of(result, SQLITE_IOERR_FSYNC);
}

int size_of_file(sqlite3_file* handle, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(of(handle).file->size());
    return SQLITE_OK;
}

int sector_size(sqlite3_file*) {
    return static_cast<int>(sim::sector_size);
}
// **Source**: os_unix.c, setDeviceCharacteristics: a write changes nothing beside what it writes.
int characteristics(sqlite3_file*) {
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

// Of the first version: without shared memory a write-ahead log needs exclusive locking.
constexpr sqlite3_io_methods file_methods{1,
                                          close_file,
                                          read_file,
                                          write_file,
                                          truncate_file,
                                          sync_file,
                                          size_of_file,
                                          lock_nothing,
                                          lock_nothing,
                                          is_not_reserved,
                                          control_nothing,
                                          sector_size,
                                          characteristics,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr};

// **Source**: os_unix.c, unixOpen: of new files it is journals whose directory is synced.
int open_file(sqlite3_vfs*, const char* name, sqlite3_file* handle, int flags, int* flags_out) {
    handle->pMethods = nullptr;                 // SQLite closes only what has methods
    DiskAccess* const access = access_of(name); // none: a temporary file, which belongs in memory
    if (access == nullptr || access->is_dead()) return SQLITE_CANTOPEN;
    constexpr int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL | SQLITE_OPEN_SUPER_JOURNAL;
    std::shared_ptr<sim::File> file = access->disk().find_file(name);
    const bool is_new = file == nullptr;
    if (is_new && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    if (is_new) file = access->disk().create(name);
    new (&of(handle)) OpenFile{access, std::move(file), is_new && (flags & journals) != 0};
    handle->pMethods = &file_methods;
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_directory) {
    DiskAccess* const access = access_of(name);
    if (access == nullptr) return SQLITE_IOERR_DELETE;
    if (!access->disk().exists(name)) return SQLITE_IOERR_DELETE_NOENT;
    IoResult result = access->unlink(name);
    if (result != IoResult::done) return SQLITE_IOERR_DELETE;
    if (sync_directory != 0) result = access->sync_directory();
    return code_of(result, SQLITE_IOERR_DIR_FSYNC);
}

// **Source**: os_unix.c, unixAccess: an empty file counts as none.
int access_file(sqlite3_vfs*, const char* name, int, int* result) {
    const DiskAccess* const access = access_of(name);
    const std::shared_ptr<sim::File> file =
        access == nullptr ? nullptr : access->disk().find_file(name);
    *result = file != nullptr && file->size() > 0;
    return SQLITE_OK;
}

} // namespace

void register_disk_vfs() {
    static sqlite3_vfs file_system = virtual_file_system(disk_vfs_name, sizeof(Handle));
    file_system.xOpen = open_file;
    file_system.xDelete = delete_file;
    file_system.xAccess = access_file;
    const int result = sqlite3_vfs_register(&file_system, 0);
    ensure(result == SQLITE_OK, "SQLite takes the file system of disks");
}

std::string disk_uri(DiskAccess& access, std::string_view file) {
    return std::string("file:")
        .append(file)
        .append("?vfs=")
        .append(disk_vfs_name)
        .append("&")
        .append(access_parameter)
        .append("=")
        .append(address_text(&access));
}

} // namespace crier::broker
