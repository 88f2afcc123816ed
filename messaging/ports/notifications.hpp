#pragma once

#include "messaging/ports/clock.hpp"
#include "messaging/ports/result.hpp"

#include <memory>
#include <string>

// Notifications of a database, as PostgreSQL's LISTEN and NOTIFY: a statement
// `select pg_notify($1, $2)` in a transaction is told to whoever listens when it commits. They wake
// somebody who would look anyway, and promise nothing: what is sent while nobody listens, or while
// a connection is down, is never told.

namespace crier {

/// A connection that listens to one channel. Destroyed, it stops.
class Listener {
public:
    virtual ~Listener() = default;

    /// Waits until something was notified since the last call, at most for `limit`.
    /// **Returns** whether something was; several notifications at once are one.
    /// **Errors**: `connection_lost`: what came since is unknown, and this listener hears nothing
    /// more.
    [[nodiscard]] virtual asio::awaitable<Outcome<bool>> wait(Duration limit) = 0;
};

/// Where to listen.
class Notifications {
public:
    virtual ~Notifications() = default;

    /// Listens from the moment of its completion. **Errors**: those of `Store::begin`.
    [[nodiscard]] virtual asio::awaitable<Outcome<std::unique_ptr<Listener>>>
    listen(std::string channel) = 0;
};

} // namespace crier
