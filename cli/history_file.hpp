#pragma once

#include "scenarios/run.hpp"

#include <optional>
#include <string>
#include <vector>

namespace crier::cli {

/// Returns a kept history as bytes: a line of text that names the format, then the events as they
/// are hashed (little-endian, 72 bytes each).
[[nodiscard]] std::string history_bytes(const scenario::RunResult& run);

/// Reads such a file; nothing if it is not one.
[[nodiscard]] std::optional<std::vector<sim::Event>> read_history(const std::string& path);

} // namespace crier::cli
