#include "tests/conformance/real_kafka.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace crier::conformance {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

} // namespace

RealCluster find_real_kafka() {
    RealCluster kafka;
    kafka.servers = variable("CRIER_KAFKA_SERVERS");
    kafka.classes = variable("CRIER_KAFKA_CLASSES");
    const std::string nodes = variable("CRIER_KAFKA_NODES");
    if (!nodes.empty()) kafka.nodes = std::stoi(nodes);
    return kafka;
}

JavaDriver::JavaDriver(const RealCluster& kafka) {
    std::signal(SIGPIPE, SIG_IGN); // a driver that died is an error of `ask`
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (pipe(in.data()) != 0 || pipe(out.data()) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        for (const int end : {in[0], in[1], out[0], out[1]})
            close(end);
        execlp("java", "java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
               "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", kafka.classes.c_str(),
               "Driver", kafka.servers.c_str(), nullptr);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_ = in[1];
    from_ = out[0];
}

JavaDriver::~JavaDriver() {
    close(to_);
    close(from_);
    waitpid(pid_, nullptr, 0);
}

std::string JavaDriver::ask(const std::string& line) {
    const std::string sent = line + "\n";
    for (std::size_t at = 0; at < sent.size();) {
        const ssize_t written = write(to_, sent.data() + at, sent.size() - at);
        if (written <= 0) throw std::runtime_error("the Java driver does not listen");
        at += static_cast<std::size_t>(written);
    }
    for (;;) {
        const auto end = read_.find('\n');
        if (end != std::string::npos) {
            std::string answer = read_.substr(0, end);
            read_.erase(0, end + 1);
            return answer;
        }
        std::array<char, 65536> part{};
        const ssize_t size = read(from_, part.data(), part.size());
        if (size <= 0) throw std::runtime_error("the Java driver has ended");
        read_.append(part.data(), static_cast<std::size_t>(size));
    }
}

} // namespace crier::conformance
