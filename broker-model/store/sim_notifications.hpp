#pragma once

#include "broker-model/store/database.hpp"
#include "broker-model/store/sim_store.hpp"
#include "messaging/ports/notifications.hpp"

namespace crier::broker {

/// A `crier::Notifications` for the process that runs on `home`, from a simulated database. A
/// member of the program of that process.
class SimNotifications final : public crier::Notifications {
public:
    SimNotifications(Database& database, sim::Node& home, StoreOptions options = {});

    [[nodiscard]] asio::awaitable<Outcome<std::unique_ptr<Listener>>>
    listen(std::string channel) override;

private:
    Database& database_;
    sim::Process& process_;
    StoreOptions options_;
};

} // namespace crier::broker
