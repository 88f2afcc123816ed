#pragma once

#include "messaging/postgres/postgres_store.hpp"
#include "tests/conformance/store_program_run.hpp"

#include <memory>

namespace crier::conformance {

/// Sessions on a real PostgreSQL, in a schema of their own, so that several arms may share a
/// server.
class PostgresArm final : public StoreArm {
public:
    /// `number` tells the arms of one server apart.
    PostgresArm(ProcessPorts ports, const messaging::postgres::PostgresOptions& options,
                std::size_t sessions, std::size_t number);

    /// Makes the tables; once.
    [[nodiscard]] asio::awaitable<void> prepare();

    /// Makes everything as it is before a program.
    [[nodiscard]] asio::awaitable<void> reset();

    [[nodiscard]] Clock& clock() override { return ports_.clock; }
    [[nodiscard]] Background& background() override { return ports_.background; }
    [[nodiscard]] Store& store(std::size_t session) override { return *sessions_.at(session); }
    [[nodiscard]] asio::awaitable<void> settle(Pending pending) override;

private:
    [[nodiscard]] asio::awaitable<bool> all_wait(std::vector<std::size_t> pending);

    ProcessPorts ports_;
    std::string schema_;
    std::vector<std::unique_ptr<messaging::postgres::PostgresStore>> sessions_;
    std::unique_ptr<messaging::postgres::PostgresStore> observer_;
    std::vector<std::int64_t> processes_; ///< The server's, by session.
    std::string process_list_;
};

} // namespace crier::conformance
