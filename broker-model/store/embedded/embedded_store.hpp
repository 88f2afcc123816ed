#pragma once

#include "broker-model/store/embedded/embedded_database.hpp"
#include "messaging/ports/store.hpp"
#include "sim/process_ports.hpp"

#include <memory>

namespace crier::broker {

class FileQueue;

/// The store port over a file on the process's own disk, as the SQLite adapter of `messaging` is
/// over a real one: one connection, one transaction at a time, the others wait in turn. A statement
/// takes the time of its I/O. A crash of the process at any I/O leaves the file as it is then, and
/// its next life recovers it. A member of the program of the process on `home`.
/// **Cancellation**: none; calls end by themselves.
class EmbeddedStore final : public Store {
public:
    /// What the life before left in doubt is found out here.
    EmbeddedStore(EmbeddedDatabase& database, sim::Node& home, sim::ProcessPorts& ports);
    ~EmbeddedStore() override;
    EmbeddedStore(const EmbeddedStore&) = delete;
    EmbeddedStore& operator=(const EmbeddedStore&) = delete;

    /// Waits for the turn and opens a transaction that may write.
    /// **Order**: turns are given in the order of the calls.
    [[nodiscard]] asio::awaitable<Outcome<std::unique_ptr<Transaction>>> begin() override;
    [[nodiscard]] asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                                         std::vector<Value> parameters) override;

private:
    std::shared_ptr<FileQueue> queue_;
};

} // namespace crier::broker
