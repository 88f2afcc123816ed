#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace crier::scenario {

/// Returns the candidate that `name` was probably meant to be: by insertions, removals,
/// replacements and swaps of neighbours, at most a third of its length; the first of the nearest.
[[nodiscard]] std::optional<std::string> nearest_name(std::string_view name,
                                                      std::span<const std::string> candidates);

/// Returns ` (did you mean `billing`?)`, or, when nothing is near, ` (there are: …)` with the
/// candidates, or ` (there are none)`.
[[nodiscard]] std::string name_hint(std::string_view name, std::span<const std::string> candidates);

/// Returns `a`, `b` and `c`, each in backticks.
[[nodiscard]] std::string quoted_list(std::span<const std::string> names);

} // namespace crier::scenario
