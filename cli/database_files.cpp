#include "cli/database_files.hpp"

#include "cli/output.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>

namespace crier::cli {

namespace {

/// **Returns** whether it is there and a folder. **Errors**: throws `BadInput` if something else
/// is.
bool is_folder(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return false;
    if (!S_ISDIR(status.st_mode)) throw BadInput(path + ": is no folder");
    return true;
}

} // namespace

void DatabaseFiles::add_to(CLI::App& verb) {
    verb.add_option("--keep-databases", folder,
                    "write every database, as the run leaves it, to an SQLite file in this folder");
}

void DatabaseFiles::check() const {
    if (folder.empty()) return;
    const std::filesystem::path path(folder);
    check_writable(is_folder(folder) ? (path / "any").string() : folder);
}

void DatabaseFiles::write(const scenario::RunResult& run) const {
    if (folder.empty()) return;
    if (!is_folder(folder) && ::mkdir(folder.c_str(), 0777) != 0)
        throw BadInput(folder + ": cannot write: " + std::strerror(errno));
    for (const broker::KeptDatabase& database : run.databases) {
        const std::filesystem::path path = std::filesystem::path(folder) / database.name;
        write_file(path.string() + ".sqlite", database.content);
    }
}

} // namespace crier::cli
