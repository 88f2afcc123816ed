#pragma once

#include "messaging/asio_process.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

// What the conformance tests share: a real process on real time, and a folder for its files.
// Waiting is always for a condition, with a deadline that only a failing test reaches.

namespace crier::conformance {

/// How long anything may take before the test counts as hanging.
inline constexpr std::chrono::seconds deadline{60};

/// A process with an event loop of its own.
class RealProcess {
public:
    explicit RealProcess(Observer* observer = nullptr)
        : process_(context_.get_executor(), observer == nullptr ? silent_ : *observer) {}

    [[nodiscard]] ProcessPorts ports() { return process_.ports(); }
    [[nodiscard]] asio::io_context& context() { return context_; }

    /// Runs the loop until `work` ends; throws what escapes it, and when the deadline passes.
    void run(asio::awaitable<void> work, Duration limit = deadline) {
        bool done = false;
        std::exception_ptr escaped;
        asio::co_spawn(context_, std::move(work), [&](const std::exception_ptr& error) {
            done = true;
            escaped = error;
            context_.stop();
        });
        context_.restart();
        context_.run_for(limit);
        if (escaped) std::rethrow_exception(escaped);
        if (!done) throw std::runtime_error("the test hangs");
    }

private:
    messaging::SilentObserver silent_;
    asio::io_context context_;
    messaging::AsioProcess process_;
};

/// Completes when `condition` holds; looks again after every pause.
inline asio::awaitable<void> until(Clock& clock, std::function<bool()> condition) {
    const Instant give_up = clock.now() + deadline;
    while (!condition()) {
        if (clock.now() > give_up) throw std::runtime_error("what was waited for did not come");
        co_await clock.sleep(std::chrono::milliseconds(5));
    }
}

/// A folder that lives as long as the object.
class TemporaryFolder {
public:
    TemporaryFolder() {
        messaging::SecretIds ids;
        path_ = std::filesystem::temp_directory_path() / ("crier-" + ids.next());
        std::filesystem::create_directory(path_);
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

} // namespace crier::conformance
