#pragma once

#include "messaging/ports/background.hpp"
#include "messaging/ports/store.hpp"
#include "messaging/postgres/postgres_options.hpp"

#include <memory>

// The store port over PostgreSQL, through a bounded pool of connections.

namespace crier::messaging::postgres {

class Pool;

/// A PostgreSQL database. Transactions are read committed unless they begin with `set transaction`.
/// A parameter has the type that PostgreSQL infers from its place: `cast($1 as bigint)` where that
/// is not what is meant. Texts are UTF-8 without zero bytes; bytes as they come need a column of
/// type `bytea`. What a transaction sets without `local` stays with the connection.
/// **Lifetime**: the executor's context outlives the store. Destroying the store ends all its
/// connections: waiting ends with `unavailable`, what is under way with `connection_lost`.
/// **Cancellation**: none; calls end by themselves.
class PostgresStore final : public Store {
public:
    /// **Requires**: valid options. Nothing is connected before the first use.
    PostgresStore(Background& background, PostgresOptions options);
    ~PostgresStore() override;
    PostgresStore(const PostgresStore&) = delete;
    PostgresStore& operator=(const PostgresStore&) = delete;

    /// **Errors**: `unavailable` when no connection became free in time or none could be opened.
    [[nodiscard]] asio::awaitable<Outcome<std::unique_ptr<Transaction>>> begin() override;
    [[nodiscard]] asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                                         std::vector<Value> parameters) override;

private:
    std::shared_ptr<Pool> pool_;
};

} // namespace crier::messaging::postgres
