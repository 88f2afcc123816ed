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
        execlp("java", "java", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
               "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", kafka.classes.c_str(),
               "Driver", kafka.servers.c_str(), nullptr);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_ = in[1];
    from_ = out[0];
    reader_ = std::thread([this] { take_answers(); });
}

JavaDriver::~JavaDriver() {
    close(to_); // then it ends, and so does the reader
    reader_.join();
    close(from_);
    waitpid(pid_, nullptr, 0);
}

std::string JavaDriver::ask(const std::string& line) {
    std::future<std::string> answer;
    {
        const std::lock_guard lock(mutex_);
        if (has_ended_) throw std::runtime_error("the Java driver has ended");
        const int number = ++asked_;
        answer = waiting_[number].get_future();
        send("{\"number\":" + std::to_string(number) + "," + line.substr(1) + "\n");
    }
    return answer.get();
}

void JavaDriver::send(const std::string& line) {
    for (std::size_t at = 0; at < line.size();) {
        const ssize_t written = write(to_, line.data() + at, line.size() - at);
        if (written <= 0) throw std::runtime_error("the Java driver does not listen");
        at += static_cast<std::size_t>(written);
    }
}

/// Each answer is a number, a blank, and a JSON object.
void JavaDriver::take_answers() {
    std::string known;
    std::array<char, 65536> part{};
    for (;;) {
        const ssize_t size = read(from_, part.data(), part.size());
        const std::lock_guard lock(mutex_);
        if (size <= 0) break;
        known.append(part.data(), static_cast<std::size_t>(size));
        for (auto end = known.find('\n'); end != std::string::npos; end = known.find('\n')) {
            const auto blank = known.find(' ');
            const auto waiting = waiting_.find(std::stoi(known.substr(0, blank)));
            if (waiting != waiting_.end()) {
                waiting->second.set_value(known.substr(blank + 1, end - blank - 1));
                waiting_.erase(waiting);
            }
            known.erase(0, end + 1);
        }
    }
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    for (auto& [number, promise] : waiting_) {
        promise.set_exception(
            std::make_exception_ptr(std::runtime_error("the Java driver has ended")));
    }
    waiting_.clear();
}

} // namespace crier::conformance
