#pragma once

#include "broker-model/store/database.hpp"
#include "broker-model/store/sim_store.hpp"
#include "messaging/ports/change_stream.hpp"

namespace crier::broker {

/// A `crier::ChangeStreams` for the process that runs on `home`, from a simulated database. It asks
/// again every `poll_interval`, as the adapter to PostgreSQL does. A member of the program of that
/// process.
class SimChangeStreams final : public crier::ChangeStreams {
public:
    SimChangeStreams(Database& database, sim::Node& home, StoreOptions options = {},
                     Duration poll_interval = std::chrono::milliseconds(50));

    /// Waits, when the slot is new, for the transactions that are under way.
    [[nodiscard]] asio::awaitable<Outcome<std::unique_ptr<ChangeStream>>>
    open(std::string slot) override;

private:
    Database& database_;
    sim::Process& process_;
    StoreOptions options_;
    Duration poll_interval_;
};

} // namespace crier::broker
