#pragma once

#include "messaging/ports/notifications.hpp"
#include "messaging/ports/process.hpp"
#include "messaging/relay/relay_kind.hpp"
#include "messaging/relay_options.hpp"

#include <memory>

// When a relay looks again: by the clock, or woken by a notification. Who is woken listens before
// it reads, again after every lost connection, and looks all the same after a while: notifications
// promise nothing.

namespace crier::messaging {

class Alarm {
public:
    /// `notifications` may be null for `RelayWake::poll`; it outlives the alarm.
    Alarm(ProcessPorts ports, Notifications* notifications, const RelayOptions& options);

    /// Called before each pass.
    [[nodiscard]] asio::awaitable<void> before_pass();

    /// Waits until there is reason for another pass, or `stopping` is set.
    [[nodiscard]] asio::awaitable<void> after_pass(Pass pass, const bool& stopping);

private:
    asio::awaitable<void> listen();
    asio::awaitable<void> wait(const bool& stopping);

    ProcessPorts ports_;
    Notifications* notifications_;
    RelayOptions options_;
    std::unique_ptr<Listener> listener_; ///< Null: nobody would hear anything.
};

} // namespace crier::messaging
