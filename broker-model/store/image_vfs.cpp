#include "broker-model/store/image_vfs.hpp"

#include "broker-model/store/vfs_parts.hpp"
#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <cstring>
#include <sqlite3.h>
#include <string>

namespace crier::broker {

namespace {

constexpr const char* image_vfs_name = "crier-image";

// The two places of the header that tell whether the file has changed. A connection drops its cache
// when the first does so, and believes the page count only while both agree.
// **Source**: SQLite database file format, sections 1.3.6 and 1.3.7.
constexpr std::size_t change_counter = 24;
constexpr std::size_t version_valid_for = 92;
constexpr std::size_t counter_width = 4;

using Encoded = std::array<std::byte, counter_width>; // big-endian

Encoded encode(std::uint32_t number) {
    Encoded bytes;
    for (std::size_t at = 0; at < counter_width; ++at)
        bytes[at] = static_cast<std::byte>(number >> (8 * (counter_width - 1 - at)));
    return bytes;
}

std::uint32_t decode(const std::byte* bytes) {
    std::uint32_t number = 0;
    for (std::size_t at = 0; at < counter_width; ++at)
        number = number << 8 | std::to_integer<std::uint32_t>(bytes[at]);
    return number;
}

/// Puts `counter` over what was read from `offset` on, where it belongs.
void overlay(const Encoded& counter, std::size_t place, std::size_t offset, std::byte* to,
             std::size_t length) {
    for (std::size_t at = 0; at < counter_width; ++at) {
        const std::size_t position = place + at;
        if (position >= offset && position < offset + length) to[position - offset] = counter[at];
    }
}

/// An open file, in memory that SQLite provides.
struct OpenImage {
    sqlite3_file base; // first: SQLite sees only this
    ImageFile* file;
};

ImageFile& of(sqlite3_file* handle) {
    return *reinterpret_cast<OpenImage*>(handle)->file;
}

int close_file(sqlite3_file*) {
    return SQLITE_OK;
}

int read_file(sqlite3_file* handle, void* to, int length, sqlite3_int64 offset) {
    const bool whole =
        of(handle).read(static_cast<std::size_t>(offset), static_cast<std::byte*>(to),
                        static_cast<std::size_t>(length));
    return whole ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* handle, const void* from, int length, sqlite3_int64 offset) {
    of(handle).write(static_cast<std::size_t>(offset), static_cast<const std::byte*>(from),
                     static_cast<std::size_t>(length));
    return SQLITE_OK;
}

int truncate_file(sqlite3_file* handle, sqlite3_int64 size) {
    of(handle).truncate(static_cast<std::size_t>(size));
    return SQLITE_OK;
}

int sync_file(sqlite3_file*, int) {
    return SQLITE_OK;
}

int size_of_file(sqlite3_file* handle, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(of(handle).image().page_count() * page_size);
    return SQLITE_OK;
}

int sector_size(sqlite3_file*) {
    return static_cast<int>(page_size);
}
int characteristics(sqlite3_file*) {
    return SQLITE_IOCAP_ATOMIC | SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

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

constexpr const char* image_parameter = "image";

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* handle, int flags, int* flags_out) {
    OpenImage& opened = *reinterpret_cast<OpenImage*>(handle);
    opened.base.pMethods = nullptr; // SQLite closes only what has methods
    opened.file = static_cast<ImageFile*>(address_in(name, image_parameter));
    if (opened.file == nullptr || (flags & SQLITE_OPEN_MAIN_DB) == 0) return SQLITE_CANTOPEN;
    opened.base.pMethods = &file_methods;
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
}

// There are no files but images: no journal is ever found.
int delete_file(sqlite3_vfs*, const char*, int) {
    return SQLITE_IOERR_DELETE_NOENT;
}
int access_file(sqlite3_vfs*, const char*, int, int* result) {
    *result = 0;
    return SQLITE_OK;
}

std::string image_uri(ImageFile& file) {
    return std::string("file:image?vfs=")
        .append(image_vfs_name)
        .append("&")
        .append(image_parameter)
        .append("=")
        .append(address_text(&file));
}

} // namespace

void register_image_vfs() {
    static sqlite3_vfs file_system = virtual_file_system(image_vfs_name, sizeof(OpenImage));
    file_system.xOpen = open_file;
    file_system.xDelete = delete_file;
    file_system.xAccess = access_file;
    const int result = sqlite3_vfs_register(&file_system, 0);
    ensure(result == SQLITE_OK, "SQLite takes the file system of images");
}

// The image that is shown has a counter of its own, which the connection has not seen before, as
// two images may have been written equally often.
void ImageFile::show(PageImage image) {
    if (image == image_) return;
    image_ = std::move(image);
    ++changes_;
}

bool ImageFile::read(std::size_t offset, std::byte* to, std::size_t length) const {
    std::size_t done = 0;
    while (done < length) {
        const std::size_t at = offset + done;
        if (at / page_size >= image_.page_count()) break;
        const std::size_t within = at % page_size;
        const std::size_t count = std::min(length - done, page_size - within);
        std::memcpy(to + done, image_.page(at / page_size) + within, count);
        done += count;
    }
    std::memset(to + done, 0, length - done);
    if (offset < page_size) {
        const Encoded counter = encode(changes_);
        overlay(counter, change_counter, offset, to, length);
        overlay(counter, version_valid_for, offset, to, length);
    }
    return done == length;
}

void ImageFile::write(std::size_t offset, const std::byte* from, std::size_t length) {
    ensure(offset % page_size == 0 && length == page_size, "SQLite writes whole pages");
    std::memcpy(image_.writable(offset / page_size), from, length);
    if (offset == 0) changes_ = decode(from + change_counter);
}

sqlite3* open_images(ImageFile& file, ImageFile& other, const char* other_name) {
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                          SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    sqlite3* connection = nullptr;
    const int opened = sqlite3_open_v2(image_uri(file).c_str(), &connection, flags, image_vfs_name);
    ensure(opened == SQLITE_OK, "a connection to an image opens");
    const std::string settings =
        "attach '" + image_uri(other) + "' as " + other_name +
        "; pragma journal_mode=off; pragma synchronous=off; pragma cache_spill=off; pragma "
        "temp_store=memory; pragma secure_delete=off; pragma foreign_keys=off";
    const int set = sqlite3_exec(connection, settings.c_str(), nullptr, nullptr, nullptr);
    ensure(set == SQLITE_OK, sqlite3_errmsg(connection));
    return connection;
}

} // namespace crier::broker
