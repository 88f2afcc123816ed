#include "tests/conformance/real_postgres.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <iterator>
#include <pwd.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace crier::conformance {

namespace {

namespace fs = std::filesystem;

/// Returns the folder of `initdb` and `postgres`, or an empty text. Debian keeps them off the path.
std::string find_binaries() {
    std::vector<std::string> folders;
    const char* const path = std::getenv("PATH");
    std::string_view rest = path == nullptr ? "" : path;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        folders.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    for (int version = 30; version >= 13; --version)
        folders.push_back("/usr/lib/postgresql/" + std::to_string(version) + "/bin");
    for (const std::string& folder : folders) {
        std::error_code ignored;
        if (fs::exists(folder + "/initdb", ignored) && fs::exists(folder + "/postgres", ignored))
            return folder;
    }
    return {};
}

const passwd* unprivileged() {
    const passwd* user = getpwnam("postgres");
    return user != nullptr ? user : getpwnam("nobody");
}

} // namespace

std::string RealPostgres::missing() {
    if (find_binaries().empty())
        return "PostgreSQL is not installed: neither initdb nor postgres was found";
    if (geteuid() == 0 && unprivileged() == nullptr)
        return "PostgreSQL does not run as root, and there is nobody else to run it";
    return {};
}

RealPostgres::RealPostgres(const std::vector<std::string>& settings) : binaries_(find_binaries()) {
    const std::string root = folder_.file("");
    fs::permissions(root, fs::perms::owner_all);
    if (geteuid() == 0) {
        const passwd* const user = unprivileged();
        if (chown(root.c_str(), user->pw_uid, user->pw_gid) != 0)
            throw std::runtime_error("the folder of the server could not be given away");
    }
    const pid_t made = spawn({"initdb", "--pgdata=" + folder_.file("data"), "--username=crier",
                              "--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8"});
    int status = 0;
    waitpid(made, &status, 0);
    if (status != 0) throw std::runtime_error("initdb failed\n" + log());
    std::ofstream file(folder_.file("data/postgresql.conf"), std::ios::app);
    file << "listen_addresses = ''\nunix_socket_directories = '" << folder_.file("") << "'\n"
         << "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
         << "wal_level = logical\nmax_replication_slots = 8\nmax_connections = 60\n"
         << "shared_buffers = 16MB\nmax_wal_size = 64MB\nautovacuum = off\njit = off\n";
    for (const std::string& setting : settings)
        file << setting << '\n';
    file.close();
    start();
}

RealPostgres::~RealPostgres() {
    crash();
}

void RealPostgres::start() {
    const std::size_t before = log().size();
    pid_ = spawn({"postgres", "-D", folder_.file("data")});
    const auto give_up = std::chrono::steady_clock::now() + deadline;
    while (log().find("ready to accept connections", before) == std::string::npos) {
        int status = 0;
        if (waitpid(pid_, &status, WNOHANG) == pid_ || std::chrono::steady_clock::now() > give_up) {
            pid_ = 0;
            throw std::runtime_error("PostgreSQL did not start\n" + log());
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

void RealPostgres::crash() {
    if (pid_ == 0) return;
    kill(pid_, SIGQUIT); // An immediate shutdown.
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

messaging::postgres::PostgresOptions RealPostgres::options() const {
    messaging::postgres::PostgresOptions options;
    options.connection = "host=" + folder_.file("") + " user=crier dbname=postgres";
    return options;
}

/// Starts a program of PostgreSQL's, which ends with us if we end first.
pid_t RealPostgres::spawn(const std::vector<std::string>& arguments) const {
    const std::string program = binaries_ + "/" + arguments.front();
    const std::string output = folder_.file("log");
    std::vector<char*> list;
    for (const std::string& argument : arguments)
        list.push_back(const_cast<char*>(argument.c_str()));
    list.push_back(nullptr);
    const bool is_root = geteuid() == 0;
    const passwd* const user = is_root ? unprivileged() : nullptr;
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("no process could be started");
    if (child > 0) return child;
    // From here on only what is allowed after a fork beside other threads.
    if (user != nullptr &&
        (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (getppid() != parent) _exit(126);
    const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(file, 1);
    dup2(file, 2);
    setsid(); // A keyboard's interrupt is for the test, which ends the server then.
    if (chdir("/") != 0) _exit(126);
    execv(program.c_str(), list.data());
    _exit(127);
}

std::string RealPostgres::log() const {
    std::ifstream file(folder_.file("log"));
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace crier::conformance
