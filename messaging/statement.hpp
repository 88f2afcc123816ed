#pragma once

#include "messaging/ports/store.hpp"

#include <string>
#include <vector>

namespace crier::messaging {

/// One statement, ready to execute.
struct Statement {
    std::string sql;
    std::vector<Value> parameters;
};

/// Returns `$first, $first+1, …` for the values that it appends to the statement's parameters,
/// filled up to a power of two with the last one, so that few statements have to be prepared.
/// **Requires** at least one value.
[[nodiscard]] std::string add_list(Statement& statement, const std::vector<std::int64_t>& values);

/// Runs it in a transaction of its own.
[[nodiscard]] asio::awaitable<Outcome<Rows>> execute(Store& store, Statement statement);

/// Returns what the wall shows, in milliseconds since the Unix epoch, as tables have it.
[[nodiscard]] std::int64_t milliseconds(WallTime time);
[[nodiscard]] std::int64_t milliseconds(Duration duration);

} // namespace crier::messaging
