#pragma once

#include "messaging/ports/process.hpp"
#include "messaging/ports/store.hpp"

#include <string>
#include <vector>

namespace crier::scenario {

/// Runs DDL statements until each has succeeded; they must be harmless to repeat.
[[nodiscard]] asio::awaitable<void> ensure_schema(ProcessPorts ports, Store& store,
                                                  std::vector<std::string> statements);

} // namespace crier::scenario
