#pragma once

#include "messaging/ports/message.hpp"
#include "messaging/ports/store.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// An open row as relays have it in hand.

namespace crier::messaging {

struct OutboxRow {
    std::int64_t position = 0;
    std::string key;
    Message message;      ///< Without its key.
    bool readable = true; ///< Whether its headers could be read.
};

/// What `read_outbox_row` reads, in this order.
inline constexpr std::string_view outbox_columns = "position, id, key, body, headers";

/// Takes the first five values of `row`. Numbers may be texts.
[[nodiscard]] OutboxRow read_outbox_row(Row& row);

/// Returns the number, also from a text.
[[nodiscard]] std::int64_t read_number(const Value& value);

} // namespace crier::messaging
