#pragma once

#include "messaging/postgres/postgres_store.hpp"
#include "tests/conformance/real_postgres.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

// What the tests on a real PostgreSQL share: a server for all tests of a suite, and a database of
// its own for each.

namespace crier::conformance {

class PostgresTest : public ::testing::Test {
protected:
    void SetUp() override {
        const std::string missing = RealPostgres::missing();
        if (!missing.empty()) GTEST_SKIP() << missing;
        server_ = std::make_unique<RealPostgres>(settings());
    }

    /// Lines for postgresql.conf.
    [[nodiscard]] virtual std::vector<std::string> settings() const { return {}; }

    [[nodiscard]] std::unique_ptr<messaging::postgres::PostgresStore>
    open(messaging::postgres::PostgresOptions options) {
        return std::make_unique<messaging::postgres::PostgresStore>(process_.ports().background,
                                                                    std::move(options));
    }
    [[nodiscard]] std::unique_ptr<messaging::postgres::PostgresStore> open() {
        return open(server_->options());
    }

    RealProcess process_;
    std::unique_ptr<RealPostgres> server_;
};

inline asio::awaitable<Rows> must(Store& store, std::string sql,
                                  std::vector<Value> values = parameters()) {
    Outcome<Rows> rows = co_await store.execute(std::move(sql), std::move(values));
    co_return std::move(rows.value());
}

inline asio::awaitable<Rows> must(Transaction& transaction, std::string sql,
                                  std::vector<Value> values = parameters()) {
    Outcome<Rows> rows = co_await transaction.execute(std::move(sql), std::move(values));
    co_return std::move(rows.value());
}

inline asio::awaitable<void> must_commit(Transaction& transaction) {
    const Outcome<void> committed = co_await transaction.commit();
    committed.value();
}

inline asio::awaitable<std::unique_ptr<Transaction>> must_begin(Store& store) {
    Outcome<std::unique_ptr<Transaction>> begun = co_await store.begin();
    co_return std::move(begun.value());
}

/// Why a statement fails, if it does.
inline asio::awaitable<std::optional<Failure>>
failure_of(Store& store, std::string sql, std::vector<Value> values = parameters()) {
    const Outcome<Rows> rows = co_await store.execute(std::move(sql), std::move(values));
    if (rows) co_return std::nullopt;
    co_return rows.error();
}

inline asio::awaitable<std::optional<Failure>> failure_of(Transaction& transaction,
                                                          std::string sql) {
    const Outcome<Rows> rows = co_await transaction.execute(std::move(sql), parameters());
    if (rows) co_return std::nullopt;
    co_return rows.error();
}

inline Failure failed(StoreError error) {
    return {error, Certainty::failed};
}
inline Failure unknown(StoreError error) {
    return {error, Certainty::unknown};
}

/// Returns the number of the server's process behind a transaction.
inline asio::awaitable<std::int64_t> backend_of(Transaction& transaction) {
    const Rows rows = co_await must(transaction, "select pg_backend_pid()");
    co_return std::get<std::int64_t>(rows.at(0).at(0));
}

} // namespace crier::conformance
