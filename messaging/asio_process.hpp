#pragma once

#include "messaging/asio_clock.hpp"
#include "messaging/ports/process.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

// The ports of a real process: machine time, identities from the machine's entropy, and background
// work that cannot fail unnoticed. Logging and metrics are the user's: pass an Observer.

namespace crier::messaging {

/// Identities and draws from a secret that is drawn once per object, so that no two processes or
/// incarnations share them. Not for cryptography.
class SecretIds final : public Ids {
public:
    /// Takes the secret from the machine's entropy.
    SecretIds();

    /// Returns a random UUID (RFC 9562, version 4) as text.
    [[nodiscard]] std::string next() override;
    [[nodiscard]] std::uint64_t draw(std::string_view purpose, std::string_view subject,
                                     std::uint64_t attempt) override;

private:
    std::array<std::uint64_t, 2> secret_;
    std::uint64_t handed_out_ = 0;
};

/// Starts background work on an Asio executor.
class AsioBackground final : public Background {
public:
    /// **Requires**: `executor` runs one handler at a time: a strand, or a context that one thread
    /// runs.
    explicit AsioBackground(asio::any_io_executor executor);

    [[nodiscard]] asio::any_io_executor executor() override { return executor_; }

    /// Writes what escaped from `work` to the standard error and calls `std::terminate`.
    void spawn(std::string_view name, asio::awaitable<void> work) override;

private:
    asio::any_io_executor executor_;
};

/// Hears everything and does nothing; a base for observers that want only some of it.
class SilentObserver : public Observer {
public:
    void reached(std::string_view) override {}
    void attempting(std::string_view, int) override {}
    void attempt_failed(std::string_view, int, std::string_view) override {}
    void called_out(std::string_view, std::string_view) override {}
    void settled(std::string_view, Fate, std::string_view) override {}
};

/// All ports of one real process in one object.
class AsioProcess final {
public:
    /// **Requires**: `executor` runs one handler at a time. **Lifetime**: `observer` outlives the
    /// process.
    AsioProcess(asio::any_io_executor executor, Observer& observer);
    AsioProcess(const AsioProcess&) = delete;
    AsioProcess& operator=(const AsioProcess&) = delete;

    [[nodiscard]] ProcessPorts ports() { return {clock_, ids_, observer_, background_}; }

private:
    AsioClock clock_;
    SecretIds ids_;
    Observer& observer_;
    AsioBackground background_;
};

} // namespace crier::messaging
