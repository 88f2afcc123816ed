#include "broker-model/store/sql_parts.hpp"

#include <algorithm>
#include <charconv>
#include <sqlite3.h>

namespace crier::broker {

namespace {

/// Reads the next word or sign of simple SQL, in lower case.
std::string next_word(std::string_view& rest) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
    while (!rest.empty() && is_space(rest.front()))
        rest.remove_prefix(1);
    std::string word;
    while (!rest.empty() && !is_space(rest.front()) && (word.empty() || rest.front() != ';')) {
        const char c = rest.front();
        word.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
        rest.remove_prefix(1);
        if (word == ";") break;
    }
    return word;
}

bool is_blank(const char* tail) {
    return std::string_view(tail).find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

Value value_of(sqlite3_stmt* statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL: return {};
    case SQLITE_INTEGER: return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT: return sqlite3_column_double(statement, column);
    default: {
        const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
        const auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
        return bytes == nullptr ? std::string() : std::string(bytes, length);
    }
    }
}

} // namespace

void FinalizeStatement::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

SqlStatement compile(sqlite3* connection, const std::string& text, std::string& problem) {
    const char* tail = nullptr;
    sqlite3_stmt* compiled = nullptr;
    const int code = sqlite3_prepare_v3(connection, text.c_str(), static_cast<int>(text.size() + 1),
                                        SQLITE_PREPARE_PERSISTENT, &compiled, &tail);
    SqlStatement statement(compiled);
    if (code != SQLITE_OK) {
        problem = sqlite3_errmsg(connection);
        return nullptr;
    }
    if (compiled == nullptr || !is_blank(tail)) {
        problem = "expected exactly one statement";
        return nullptr;
    }
    return statement;
}

std::string NumberedParameters::read(sqlite3_stmt* statement) {
    const int total = sqlite3_bind_parameter_count(statement);
    for (int index = 1; index <= total; ++index) {
        const char* const name = sqlite3_bind_parameter_name(statement, index);
        const std::string_view text = name == nullptr ? std::string_view() : name;
        int number = 0;
        const auto parsed =
            text.size() < 2 ? std::from_chars_result{nullptr, std::errc::invalid_argument}
                            : std::from_chars(text.data() + 1, text.data() + text.size(), number);
        if (text.empty() || text.front() != '$' || parsed.ec != std::errc() || number < 1 ||
            parsed.ptr != text.data() + text.size()) {
            return "parameters are written $1, $2 ...";
        }
        numbers_.push_back(number);
        count_ = std::max(count_, static_cast<std::size_t>(number));
    }
    return {};
}

bool NumberedParameters::bind(sqlite3_stmt* statement, const std::vector<Value>& values) const {
    if (values.size() != count_) return false;
    int index = 0;
    for (const int number : numbers_) {
        ++index;
        const Value& value = values[static_cast<std::size_t>(number - 1)];
        if (const auto* const integer = std::get_if<std::int64_t>(&value)) {
            sqlite3_bind_int64(statement, index, *integer);
        } else if (const auto* const text = std::get_if<std::string>(&value)) {
            sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC,
                                SQLITE_UTF8);
        } else if (const auto* const real = std::get_if<double>(&value)) {
            sqlite3_bind_double(statement, index, *real);
        } else {
            sqlite3_bind_null(statement, index);
        }
    }
    return true;
}

Row row_of(sqlite3_stmt* statement, int columns) {
    Row row;
    row.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column)
        row.push_back(value_of(statement, column));
    return row;
}

StoreError error_of(int code) {
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return StoreError::unique_violation;
    case SQLITE_CONSTRAINT_FOREIGNKEY: return StoreError::foreign_key_violation;
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_NOTNULL: return StoreError::check_violation;
    case SQLITE_FULL: return StoreError::disk_full;
    default: return StoreError::statement_error;
    }
}

SequenceStatement parse_sequence(std::string_view sql) {
    SequenceStatement parsed;
    if (next_word(sql) != "create" || next_word(sql) != "sequence") return parsed;
    parsed.is_one = true;
    std::string word = next_word(sql);
    if (word == "if") {
        const bool complete = next_word(sql) == "not" && next_word(sql) == "exists";
        parsed.may_exist = true;
        word = complete ? next_word(sql) : "";
    }
    const std::string end = next_word(sql);
    const bool ends = (end.empty() || end == ";") && next_word(sql).empty();
    const bool plain =
        word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (ends && plain) parsed.name = word;
    return parsed;
}

} // namespace crier::broker
