#pragma once

#include "messaging/ports/store.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What the tests of the store port's adapters share: short ways to use a store that must work, and
// what every store says of the same mistakes.

namespace crier::conformance {

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

/// What is wrong with a statement has the same name in every store.
inline asio::awaitable<void> expect_errors_by_name(Store& store) {
    co_await must(store, "create table p (id bigint not null primary key, n bigint check (n > 0))");
    co_await must(store, "create table c (p bigint references p (id))");
    co_await must(store, "insert into p values (1, 1)");
    const auto unique = co_await failure_of(store, "insert into p values (1, 1)");
    EXPECT_EQ(unique, failed(StoreError::unique_violation));
    const auto check = co_await failure_of(store, "insert into p values (2, 0)");
    EXPECT_EQ(check, failed(StoreError::check_violation));
    const auto null = co_await failure_of(store, "insert into p values (null, 1)");
    EXPECT_EQ(null, failed(StoreError::check_violation));
    const auto foreign = co_await failure_of(store, "insert into c values (9)");
    EXPECT_EQ(foreign, failed(StoreError::foreign_key_violation));
    const auto syntax = co_await failure_of(store, "selekt 1");
    EXPECT_EQ(syntax, failed(StoreError::statement_error));
    const auto missing = co_await failure_of(store, "select $1");
    EXPECT_EQ(missing, failed(StoreError::statement_error));
    const auto two = co_await failure_of(store, "select 1; select 2");
    EXPECT_EQ(two, failed(StoreError::statement_error));
    const auto fine = co_await failure_of(store, "select 1;\n");
    EXPECT_EQ(fine, std::nullopt);
}

} // namespace crier::conformance
