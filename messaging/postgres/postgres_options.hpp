#pragma once

#include "messaging/ports/clock.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace crier::messaging::postgres {

/// How a PostgreSQL server is reached and used.
struct PostgresOptions {
    /// As libpq reads it: `host=… dbname=… user=…` or an URI. Say `keepalives_idle` and
    /// `tcp_user_timeout` there, or a server whose machine is gone is waited for very long.
    std::string connection;
    std::size_t connections_max = 10; ///< Of the pool.
    Duration connection_wait =
        std::chrono::seconds(5); ///< For one of the pool, then `unavailable`.
    Duration connect_timeout = std::chrono::seconds(5); ///< At least 2 s, in whole seconds.
    std::size_t statements_max = 64; ///< Prepared statements kept for each connection.
    /// Run on every new connection, such as `set lock_timeout = '2s'`.
    std::vector<std::string> session_setup;

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

} // namespace crier::messaging::postgres
