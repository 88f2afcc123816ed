#include "messaging/postgres/postgres_options.hpp"

namespace crier::messaging::postgres {

std::vector<std::string> PostgresOptions::validate() const {
    std::vector<std::string> problems;
    if (connections_max == 0) problems.emplace_back("connections_max: must be at least 1");
    if (statements_max == 0) problems.emplace_back("statements_max: must be at least 1");
    if (connection_wait < Duration::zero())
        problems.emplace_back("connection_wait: must not be negative");
    if (connect_timeout < std::chrono::seconds(2))
        problems.emplace_back("connect_timeout: libpq takes at least 2 s");
    return problems;
}

} // namespace crier::messaging::postgres
