#pragma once

#include "messaging/ports/clock.hpp"
#include "messaging/ports/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// SQL as a port. The dialect is what SQLite 3.40 and PostgreSQL 15 share: `$1` parameters,
// `returning`, `on conflict`. Every store also understands sequences (`create sequence if not
// exists NAME`, `nextval('NAME')`). A database server, real or simulated, moreover has PostgreSQL's
// locking clauses (`for update skip locked` and its kin), `set transaction isolation level
// repeatable read` as the first statement of a transaction, `set local lock_timeout = '2s'`, and
// the functions `pg_notify`, `pg_current_xact_id`, `pg_current_snapshot`, `pg_snapshot_xmin` and
// `pg_snapshot_xmax`.

namespace crier {

using Value = std::variant<std::monostate, std::int64_t, double, std::string>;
using Row = std::vector<Value>;
using Rows = std::vector<Row>;

/// Builds a parameter list. A function, since g++ 12.2 destroys braced lists inside a `co_await`
/// expression twice.
template <class... Arguments>
[[nodiscard]] std::vector<Value> parameters(Arguments&&... arguments) {
    std::vector<Value> list;
    list.reserve(sizeof...(arguments));
    [[maybe_unused]] const auto add = [&list](auto&& argument) {
        using Argument = std::decay_t<decltype(argument)>;
        if constexpr (std::is_integral_v<Argument>) {
            list.emplace_back(static_cast<std::int64_t>(argument));
        } else if constexpr (std::is_convertible_v<Argument, std::string_view> &&
                             !std::is_same_v<Argument, std::string>) {
            list.emplace_back(std::string(std::string_view(argument)));
        } else {
            list.emplace_back(std::forward<decltype(argument)>(argument));
        }
    };
    (add(std::forward<Arguments>(arguments)), ...);
    return list;
}

/// Why a statement or commit failed, with PostgreSQL's SQLSTATE in the comment.
enum class StoreError {
    unique_violation = 1,     ///< 23505
    foreign_key_violation,    ///< 23503
    check_violation,          ///< 23514, 23502
    serialization_failure,    ///< 40001; the transaction may be tried again
    deadlock,                 ///< 40P01; the transaction may be tried again
    lock_timeout,             ///< 55P03; the transaction may be tried again
    connection_lost,          ///< 08006; unknown for a commit, failed for anything before it
    unavailable,              ///< 08001; no connection could be had
    aborted,                  ///< 25P02; an earlier statement of the transaction failed
    statement_error,          ///< any other: the SQL or its data are wrong
    disk_full,                ///< 53100
    query_canceled,           ///< 57014; the statement's time was over, or somebody cancelled it
    idle_transaction_timeout, ///< 25P03; it idled too long, and its connection was cut
    too_many_connections,     ///< 53300; the server takes no more
    shutdown,                 ///< 57P01, 57P02, 57P03; else as connection_lost
    read_only,                ///< 25006; a replica, which may yet become the primary
};

/// Returns the category of `StoreError`.
[[nodiscard]] const boost::system::error_category& store_category() noexcept;

[[nodiscard]] inline error_code make_error_code(StoreError error) {
    return {static_cast<int>(error), store_category()};
}

/// One open transaction. Destroyed without `commit` it is rolled back.
class Transaction {
public:
    virtual ~Transaction() = default;

    /// Runs one statement. **Returns** the rows of a query or of `returning`, else none.
    /// **Errors**: never unknown, since nothing is kept before the commit; after an error only
    /// `rollback` is of use.
    [[nodiscard]] virtual asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                                                 std::vector<Value> parameters) = 0;

    /// Makes everything durable. **Errors**: unknown when the answer was lost.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> commit() = 0;

    /// Undoes everything. Completes also when the connection is gone.
    [[nodiscard]] virtual asio::awaitable<void> rollback() = 0;
};

/// A database, through a pool of connections.
class Store {
public:
    virtual ~Store() = default;

    /// Opens a transaction; it sees what was committed before its statements.
    [[nodiscard]] virtual asio::awaitable<Outcome<std::unique_ptr<Transaction>>> begin() = 0;

    /// Runs one statement in a transaction of its own. **Errors**: unknown when the answer was
    /// lost.
    [[nodiscard]] virtual asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                                                 std::vector<Value> parameters) = 0;
};

} // namespace crier

template <>
struct boost::system::is_error_code_enum<crier::StoreError> : std::true_type {};
