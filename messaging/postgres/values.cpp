#include "messaging/postgres/values.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace crier::messaging::postgres {

namespace {

constexpr TypeId boolean_type = 16;
constexpr TypeId bytes_type = 17;
constexpr TypeId void_type = 2278;

struct Number {
    TypeId type;
    std::string_view name;
};

// Source: PostgreSQL 15, src/include/catalog/pg_type.dat.
constexpr std::array<Number, 9> number_types{{{20, "bigint"},
                                              {21, "smallint"},
                                              {23, "integer"},
                                              {26, "oid"},
                                              {28, "xid"},
                                              {700, "real"},
                                              {701, "double precision"},
                                              {1700, "numeric"},
                                              {5069, "xid8"}}};

bool is_number(TypeId type) {
    return std::any_of(number_types.begin(), number_types.end(),
                       [type](const Number& number) { return number.type == type; });
}

std::string to_text(double real) {
    std::array<char, 32> buffer{};
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), real);
    return {buffer.data(), written.ptr};
}

Value read_number(std::string_view text) {
    const char* const end = text.data() + text.size();
    std::int64_t integer = 0;
    const auto whole = std::from_chars(text.data(), end, integer);
    if (whole.ec == std::errc() && whole.ptr == end) return integer;
    double real = 0;
    const auto read = std::from_chars(text.data(), end, real);
    if (read.ec == std::errc() && read.ptr == end) return real;
    return std::string(text);
}

int digit(char c) {
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/// `\x` and two digits a byte, as bytea_output = hex has it.
Value read_bytes(std::string_view text) {
    if (!text.starts_with("\\x")) return std::string(text);
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t at = 2; at + 1 < text.size(); at += 2)
        bytes += static_cast<char>(digit(text[at]) * 16 + digit(text[at + 1]));
    return bytes;
}

} // namespace

std::optional<BoundValues> bind_values(const std::vector<Value>& values,
                                       const std::vector<TypeId>& types) {
    BoundValues bound;
    bound.texts.resize(values.size());
    for (std::size_t at = 0; at < values.size(); ++at) {
        std::string& text = bound.texts[at];
        const bool is_bytes = at < types.size() && types[at] == bytes_type;
        bool is_binary = false;
        if (const auto* integer = std::get_if<std::int64_t>(&values[at])) {
            text = std::to_string(*integer);
        } else if (const auto* real = std::get_if<double>(&values[at])) {
            text = to_text(*real);
        } else if (const auto* given = std::get_if<std::string>(&values[at])) {
            text = *given;
            is_binary = is_bytes;
            if (!is_binary && text.find('\0') != std::string::npos) return std::nullopt;
        }
        const bool is_null = std::holds_alternative<std::monostate>(values[at]);
        bound.values.push_back(is_null ? nullptr : text.data());
        bound.lengths.push_back(static_cast<int>(text.size()));
        bound.formats.push_back(is_binary ? 1 : 0);
    }
    return bound;
}

Value read_value(std::string_view text, TypeId type) {
    if (type == boolean_type) return static_cast<std::int64_t>(text.starts_with('t') ? 1 : 0);
    if (type == bytes_type) return read_bytes(text);
    if (type == void_type) return std::monostate{};
    if (is_number(type)) return read_number(text);
    return std::string(text);
}

TypeId type_named(std::string_view name) {
    if (name == "boolean") return boolean_type;
    if (name == "bytea") return bytes_type;
    for (const Number& number : number_types) {
        if (number.name == name) return number.type;
    }
    return 0;
}

Rows read_rows(const pg_result& result) {
    const int row_count = PQntuples(&result);
    const int column_count = PQnfields(&result);
    Rows rows(static_cast<std::size_t>(row_count));
    for (int row = 0; row < row_count; ++row) {
        Row& read = rows[static_cast<std::size_t>(row)];
        read.reserve(static_cast<std::size_t>(column_count));
        for (int column = 0; column < column_count; ++column) {
            if (PQgetisnull(&result, row, column) != 0) {
                read.emplace_back();
                continue;
            }
            const auto size = static_cast<std::size_t>(PQgetlength(&result, row, column));
            const std::string_view text(PQgetvalue(&result, row, column), size);
            read.push_back(read_value(text, PQftype(&result, column)));
        }
    }
    return rows;
}

} // namespace crier::messaging::postgres
