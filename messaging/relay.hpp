#pragma once

#include "messaging/outbox_care.hpp"
#include "messaging/ports/change_stream.hpp"
#include "messaging/ports/notifications.hpp"
#include "messaging/ports/process.hpp"
#include "messaging/ports/subscription.hpp"
#include "messaging/relay/alarm.hpp"
#include "messaging/relay/relay_kind.hpp"
#include "messaging/relay_options.hpp"
#include "messaging/signal.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Moves rows from the outbox to a channel: at least once, and in order per key. The invariant of
// every kind: a row is published only when every earlier row of its key was confirmed, by this
// relay or by the one that marked it. So relays may run side by side, and a lease that ends too
// early (a pause, a wrong clock) can repeat a message but never reorder first occurrences.

namespace crier::messaging {

/// The points that a relay reaches.
inline constexpr std::array<std::string_view, 6> relay_points{
    "relay.claimed", "relay.published-not-marked", "relay.marked",
    "relay.dead",    "relay.cursor-advanced",      "relay.confirmed"};

/// Returns the statements that make what the relay and its outbox need; running them again is
/// harmless.
[[nodiscard]] std::vector<std::string> relay_schema(const RelayOptions& options);

/// What some kinds need of a database besides its store; what an option asks for must be there.
struct RelayPorts {
    Notifications* notifications = nullptr;
    ChangeStreams* change_streams = nullptr;
};

/// Publishes the rows of one outbox.
class Relay {
public:
    /// **Requires**: valid options; the ports outlive the relay.
    Relay(ProcessPorts ports, Store& store, Publisher& publisher, RelayOptions options,
          RelayPorts more = {});

    /// Works until `stop`; called once.
    [[nodiscard]] asio::awaitable<void> run();

    /// Completes when `run` has finished its batch, given back its claims and ended.
    [[nodiscard]] asio::awaitable<void> stop();

private:
    asio::awaitable<void> purge();

    ProcessPorts ports_;
    RelayOptions options_;
    OutboxCare care_;
    Alarm alarm_;
    std::unique_ptr<RelayKind> kind_;
    bool running_ = false;
    bool stopping_ = false;
    Signal stop_; ///< Wakes the purge.
    Gate purged_; ///< Open when the purge has ended.
    Gate finished_;
};

} // namespace crier::messaging
