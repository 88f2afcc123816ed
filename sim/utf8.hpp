#pragma once

#include <cstddef>
#include <string_view>

namespace crier::sim {

/// Returns the length of the UTF-8 sequence at `at`; 0 when it is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);

} // namespace crier::sim
