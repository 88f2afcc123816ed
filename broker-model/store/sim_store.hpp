#pragma once

#include "broker-model/store/connection_pool.hpp"
#include "broker-model/store/database.hpp"
#include "messaging/ports/store.hpp"
#include "sim/process_ports.hpp"

// The store port of one client process: requests to a simulated database over the simulated
// network. It takes a connection of the client's pool for each transaction; one breaks when either
// end dies or the network resets it, and what was open on it is rolled back by the server.

namespace crier::broker {

struct StoreOptions {
    Duration request_timeout = std::chrono::seconds(30); ///< Of a client for one answer.
};

/// A `crier::Store` for the process that runs on `home`. A member of the program of that process.
class SimStore final : public crier::Store {
public:
    SimStore(Database& database, sim::Node& home, StoreOptions options = {});

    /// As above; the ports name the same process and are not needed.
    SimStore(Database& database, sim::Node& home, sim::ProcessPorts&) : SimStore(database, home) {}

    /// Waits for a connection if none is free, else costs no round trip: the first statement opens
    /// the transaction at the server, and is told if that takes no more connections.
    /// **Errors**: `unavailable`: none became free in time.
    [[nodiscard]] asio::awaitable<Outcome<std::unique_ptr<Transaction>>> begin() override;
    [[nodiscard]] asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                                         std::vector<Value> parameters) override;

private:
    Database& database_;
    sim::Process& process_;
    StoreOptions options_;
    std::shared_ptr<ConnectionPool> pool_;
};

} // namespace crier::broker
