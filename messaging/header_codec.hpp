#pragma once

#include "messaging/ports/message.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Headers as one text column: `LENGTH:name` and `LENGTH:value` one after another, lengths in bytes,
// so that no character needs an escape and what was written is read back exactly.

namespace crier::messaging {

/// Returns the headers as text; no headers give an empty text.
[[nodiscard]] std::string encode_headers(const std::vector<Header>& headers);

/// Returns what `encode_headers` was given, or nothing if `text` cannot come from it.
[[nodiscard]] std::optional<std::vector<Header>> decode_headers(std::string_view text);

} // namespace crier::messaging
