#pragma once

#include "messaging/ports/process.hpp"
#include "messaging/relay/waves.hpp"
#include "messaging/relay_options.hpp"
#include "messaging/statement.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

// What the rows say of themselves: published, waiting after a failure, dead. A paused key is its
// first open row's `retry_at`, so that it is paused for every relay and after every restart.

namespace crier::messaging {

/// Returns the condition under which the open row `o` may be published at the time `now` (a
/// parameter, `$2`), as far as its own state and its key go. A key is blocked while one of its rows
/// `e` waits or, if that stops the key, is dead, or is what `blocked_too` says.
[[nodiscard]] std::string eligible(const RelayOptions& options, const std::string& now,
                                   const std::string& blocked_too = {});

/// Writes what became of rows.
class RowStates {
public:
    RowStates(ProcessPorts ports, Store& store, const RelayOptions& options);

    /// Remembers what was published, and writes everything. What is published stays remembered
    /// until it is written, for it must not be published again only because its mark failed.
    [[nodiscard]] asio::awaitable<Outcome<void>> write(WaveOutcome outcome);

    /// Writes what is still to be written.
    [[nodiscard]] asio::awaitable<Outcome<void>> write();

    /// Whether rows may be waiting for the end of a backoff that this relay gave them.
    [[nodiscard]] bool is_pausing() const { return ports_.clock.now() < paused_until_; }

    /// Returns the positions of refused rows that are dead or gone since the last call.
    [[nodiscard]] std::set<std::int64_t> take_ended();

private:
    asio::awaitable<Outcome<void>> pause(std::vector<RowFailure> failures);
    asio::awaitable<Outcome<void>> refuse(RowFailure failure);

    ProcessPorts ports_;
    Store& store_;
    RelayOptions options_;
    std::vector<std::int64_t> confirmed_; ///< Published, not yet marked.
    std::set<std::int64_t> ended_;
    Instant paused_until_{};
};

} // namespace crier::messaging
