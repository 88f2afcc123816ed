#pragma once

#include "messaging/postgres/postgres_store.hpp"
#include "tests/conformance/real_postgres.hpp"
#include "tests/conformance/store_test.hpp"

#include <gtest/gtest.h>

#include <memory>
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

/// Returns the number of the server's process behind a transaction.
inline asio::awaitable<std::int64_t> backend_of(Transaction& transaction) {
    const Rows rows = co_await must(transaction, "select pg_backend_pid()");
    co_return std::get<std::int64_t>(rows.at(0).at(0));
}

} // namespace crier::conformance
