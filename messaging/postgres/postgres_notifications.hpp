#pragma once

#include "messaging/ports/background.hpp"
#include "messaging/ports/notifications.hpp"
#include "messaging/postgres/postgres_options.hpp"

#include <memory>

namespace crier::messaging::postgres {

class Connector;

/// LISTEN on a PostgreSQL database: a connection of its own for every listener.
/// **Lifetime**: the executor's context outlives this and its listeners.
class PostgresNotifications final : public Notifications {
public:
    /// **Requires**: valid options.
    PostgresNotifications(Background& background, PostgresOptions options);
    ~PostgresNotifications() override;
    PostgresNotifications(const PostgresNotifications&) = delete;
    PostgresNotifications& operator=(const PostgresNotifications&) = delete;

    [[nodiscard]] asio::awaitable<Outcome<std::unique_ptr<Listener>>>
    listen(std::string channel) override;

private:
    std::unique_ptr<Connector> connector_;
};

} // namespace crier::messaging::postgres
