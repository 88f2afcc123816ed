#include "broker-model/store/embedded/file_copy.hpp"

#include "broker-model/store/embedded/disk_vfs.hpp"
#include "broker-model/store/sql_parts.hpp"

#include <sqlite3.h>
#include <vector>

namespace crier::broker {

namespace {

void copy(const sim::Disk& from, const std::string& name, sim::Disk& to) {
    const std::shared_ptr<sim::File> file = from.find_file(name);
    if (file == nullptr) return;
    std::vector<std::byte> content(file->size());
    (void)file->read(0, content.data(), content.size());
    to.open(name).write(0, content.data(), content.size());
}

} // namespace

FileCopy::FileCopy(const sim::Disk& disk, const std::string& name)
    : disk_(sim::DiskOptions{}), access_(disk_, true) {
    for (const char* const suffix : {"", "-journal", "-wal"})
        copy(disk, name + suffix, disk_);
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI |
                          SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    sqlite3_open_v2(disk_uri(access_, name).c_str(), &connection_, flags, disk_vfs_name);
    sqlite3_exec(connection_, "pragma locking_mode=exclusive; pragma temp_store=memory", nullptr,
                 nullptr, nullptr);
}

FileCopy::~FileCopy() {
    sqlite3_close_v2(connection_);
}

std::string FileCopy::bytes() {
    sqlite3_int64 size = 0;
    unsigned char* const content = sqlite3_serialize(connection_, "main", &size, 0);
    if (content == nullptr) return {};
    std::string bytes(reinterpret_cast<const char*>(content), static_cast<std::size_t>(size));
    sqlite3_free(content);
    // No log comes with it. **Source**: SQLite database file format, 1.3.3, file format versions.
    constexpr std::size_t versions = 18;
    if (bytes.size() > versions + 2) bytes[versions] = bytes[versions + 1] = 1;
    return bytes;
}

std::string FileCopy::read(const std::string& sql, Rows& rows) {
    std::string problem;
    const SqlStatement statement = compile(connection_, sql, problem);
    if (statement == nullptr) return problem;
    if (sqlite3_stmt_readonly(statement.get()) == 0) return "expected a statement that only reads";
    int code = sqlite3_step(statement.get());
    for (; code == SQLITE_ROW; code = sqlite3_step(statement.get()))
        rows.push_back(row_of(statement.get(), sqlite3_column_count(statement.get())));
    return code == SQLITE_DONE ? std::string() : sqlite3_errmsg(connection_);
}

} // namespace crier::broker
