#pragma once

#include "messaging/asio_worker.hpp"
#include "messaging/postgres/connection.hpp"
#include "messaging/postgres/postgres_options.hpp"

#include <memory>

// Opens connections. What blocks in libpq, the look-up of names above all, is done by a thread of
// its own, one connection after the other.

namespace crier::messaging::postgres {

using ConnectionPtr = std::shared_ptr<Connection>;

class Connector final {
public:
    Connector(asio::any_io_executor home, PostgresOptions options);

    /// Opens a connection and answers on the executor of the process.
    /// **Errors**: unavailable, too_many_connections, shutdown.
    void open(Answer<Outcome<ConnectionPtr>> answer);
    [[nodiscard]] asio::awaitable<Outcome<ConnectionPtr>> open();

    [[nodiscard]] const asio::any_io_executor& home() const { return home_; }
    [[nodiscard]] const PostgresOptions& options() const { return options_; }

private:
    asio::any_io_executor home_;
    PostgresOptions options_;
    AsioWorker worker_; ///< Last: its end waits for the jobs that use the rest.
};

} // namespace crier::messaging::postgres
