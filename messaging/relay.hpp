#pragma once

#include "messaging/outbox.hpp"
#include "messaging/ports/process.hpp"
#include "messaging/ports/subscription.hpp"
#include "messaging/signal.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Moves rows from the outbox to a channel: at least once, and in order per key. The invariant: a
// row is published only when every earlier row of its key was confirmed, by this relay or by the
// one that deleted it. So relays may run side by side, and a lease that ends too early (a pause, a
// wrong clock) can repeat a message but never reorder first occurrences. It does not remember a
// position: sequence numbers are not handed out in the order of commits.

namespace crier::messaging {

struct RelayOptions {
    std::string channel;
    OutboxOptions outbox;
    std::size_t batch = 100;
    Duration poll_interval = std::chrono::milliseconds(100);
    Duration lease =
        std::chrono::seconds(30); ///< How long claimed rows are out of reach of others.
    Duration backoff = std::chrono::seconds(1); ///< Pause after a failure of the store or broker.

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// The points that a relay reaches.
inline constexpr std::array<std::string_view, 3> relay_points{
    "relay.claimed", "relay.published-not-marked", "relay.marked"};

/// Publishes the rows of one outbox.
class Relay {
public:
    /// **Requires**: valid options; `store` and `publisher` outlive the relay.
    Relay(ProcessPorts ports, Store& store, Publisher& publisher, RelayOptions options);

    /// Works until `stop`; called once.
    [[nodiscard]] asio::awaitable<void> run();

    /// Completes when `run` has finished its batch, given back its claims and ended.
    [[nodiscard]] asio::awaitable<void> stop();

private:
    struct Claimed {
        std::int64_t position = 0;
        std::string key;
        Message message; ///< Without its key.
        bool readable = true;
    };
    enum class Pass { idle, full, failed }; ///< Full: go on at once.

    asio::awaitable<Pass> pass();
    asio::awaitable<Outcome<std::vector<Claimed>>> claim();
    asio::awaitable<Outcome<void>> drop_overtaking(std::vector<Claimed>& rows);
    asio::awaitable<Pass> publish(std::vector<Claimed> rows, Instant lease_end);
    asio::awaitable<Outcome<void>> mark();
    asio::awaitable<Outcome<void>> release();

    ProcessPorts ports_;
    Store& store_;
    Publisher& publisher_;
    RelayOptions options_;
    std::string owner_; ///< New for each incarnation, so that a restart inherits no claims.
    std::string claim_;
    std::string overtaking_;
    std::string release_;
    std::vector<std::int64_t> confirmed_; ///< Published, not yet deleted.
    bool running_ = false;
    bool stopping_ = false;
    Gate finished_;
};

} // namespace crier::messaging
