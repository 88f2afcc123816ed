#pragma once

#include "messaging/ports/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The port's values as PostgreSQL's texts and back. A parameter has the type that PostgreSQL infers
// from its place in the statement. Numbers that are whole and fit become integers, whatever their
// type (`sum` of integers is a numeric), other numbers doubles, and truth 1 or 0; `bytea` is bytes,
// and everything else text as the server writes it.

struct pg_result;

namespace crier::messaging::postgres {

/// A column's or parameter's type, as PostgreSQL numbers them.
using TypeId = std::uint32_t;

/// Parameters in the form that libpq takes. The pointers are into `texts`.
struct BoundValues {
    std::vector<std::string> texts;
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
};

/// Returns the parameters, or nothing when a text holds a zero byte, which PostgreSQL cannot keep
/// other than in a `bytea`.
[[nodiscard]] std::optional<BoundValues> bind_values(const std::vector<Value>& values,
                                                     const std::vector<TypeId>& types);

/// Returns all rows of a result.
[[nodiscard]] Rows read_rows(const pg_result& result);

/// Returns the value that the server wrote as `text`.
[[nodiscard]] Value read_value(std::string_view text, TypeId type);

/// Returns the type that the server calls by this name, as far as `read_value` reads it otherwise
/// than as text; else 0.
[[nodiscard]] TypeId type_named(std::string_view name);

} // namespace crier::messaging::postgres
