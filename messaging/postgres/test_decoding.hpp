#pragma once

#include "messaging/ports/change_stream.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

// The texts of PostgreSQL's output plugin test_decoding, read strictly: a text that is not wholly
// understood is an error, never half a row.
// Source: PostgreSQL 15, contrib/test_decoding/test_decoding.c.

namespace crier::messaging::postgres {

struct DecodedBegin {};
struct DecodedCommit {};
/// An update, a deletion, a truncation, or a message of pg_logical_emit_message.
struct DecodedOther {};
/// A row that came new.
struct DecodedInsert {
    std::string schema;
    Change change; ///< Without position; the table without its schema.
};

using Decoded = std::variant<DecodedBegin, DecodedCommit, DecodedInsert, DecodedOther>;

/// Reads what the plugin wrote for one step of the log; nothing: it is not understood.
[[nodiscard]] std::optional<Decoded> read_decoded(std::string_view text);

} // namespace crier::messaging::postgres
