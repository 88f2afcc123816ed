#include "cli/output.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace crier::cli {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what, int error) {
    throw BadInput(path + ": " + what + ": " + std::strerror(error));
}

// Returns 0, or the error number.
int write_all(int descriptor, const std::string& content) {
    std::size_t written = 0;
    while (written < content.size()) {
        const ssize_t count =
            ::write(descriptor, content.data() + written, content.size() - written);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 ? errno : EIO;
        written += static_cast<std::size_t>(count);
    }
    return 0;
}

bool is_special(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) &&
           !S_ISDIR(status.st_mode);
}

std::string folder_of(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

} // namespace

void check_writable(const std::string& path) {
    if (path == "-" || is_special(path)) return;
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
        fail(path, "cannot write", EISDIR);
    if (::access(folder_of(path).c_str(), W_OK | X_OK) != 0) fail(path, "cannot write", errno);
}

void write_file(const std::string& path, const std::string& content) {
    if (path == "-") return print(content);
    const bool direct = is_special(path);
    const std::string target = direct ? path : path + ".partial-" + std::to_string(::getpid());
    const int descriptor =
        ::open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (direct ? 0 : O_TRUNC), 0666);
    if (descriptor < 0) fail(path, "cannot write", errno);
    int error = write_all(descriptor, content);
    if (error == 0 && !direct && ::fsync(descriptor) != 0) error = errno;
    if (::close(descriptor) != 0 && error == 0) error = errno;
    if (error == 0 && !direct && ::rename(target.c_str(), path.c_str()) != 0) error = errno;
    if (error == 0) return;
    if (!direct) ::unlink(target.c_str());
    fail(path, "cannot write", error);
}

void print(const std::string& text) {
    const int error = write_all(STDOUT_FILENO, text);
    if (error == EPIPE) return; // whoever reads has seen enough
    if (error != 0) fail("standard output", "cannot write", error);
}

bool is_terminal_out() {
    return ::isatty(STDOUT_FILENO) == 1;
}
bool is_terminal_error() {
    return ::isatty(STDERR_FILENO) == 1;
}

} // namespace crier::cli
