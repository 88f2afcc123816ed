#include "messaging/sqlite/sequences.hpp"

#include <sqlite3.h>

#include <array>
#include <memory>

namespace crier::messaging::sqlite {

namespace {

constexpr std::array<std::string_view, 5> create_words{"create", "sequence", "if", "not", "exists"};

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_name_character(char c) {
    const char l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// Cuts the first word off `text`.
std::string_view take_word(std::string_view& text) {
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    std::size_t length = 0;
    while (length < text.size() && is_name_character(text[length]))
        ++length;
    const std::string_view word = text.substr(0, length);
    text.remove_prefix(length);
    return word;
}

bool same_word(std::string_view word, std::string_view lower_case) {
    if (word.size() != lower_case.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (lower(word[i]) != lower_case[i]) return false;
    }
    return true;
}

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using OwnedStatement = std::unique_ptr<sqlite3_stmt, Finalize>;

OwnedStatement prepare(sqlite3* connection, const char* sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(connection, sql, -1, &statement, nullptr);
    return OwnedStatement(statement);
}

/// The SQL function. Prepares on each call: a kept statement would need an owner that goes before
/// the connection does, and the call is far cheaper than the commit that follows.
void nextval(sqlite3_context* context, int, sqlite3_value** arguments) {
    sqlite3* connection = sqlite3_context_db_handle(context);
    const OwnedStatement statement = prepare(
        connection,
        "update crier_sequences set value = value + 1 where name = lower(?1) returning value");
    if (!statement) return sqlite3_result_error(context, "there is no sequence yet", -1);
    sqlite3_bind_value(statement.get(), 1, arguments[0]);
    const int result = sqlite3_step(statement.get());
    if (result == SQLITE_DONE) return sqlite3_result_error(context, "no such sequence", -1);
    if (result != SQLITE_ROW) return sqlite3_result_error_code(context, result);
    const sqlite3_int64 value = sqlite3_column_int64(statement.get(), 0);
    // `returning` hands out the row before the statement has ended; only the end makes it count.
    const int end = sqlite3_step(statement.get());
    if (end != SQLITE_DONE) return sqlite3_result_error_code(context, end);
    sqlite3_result_int64(context, value);
}

} // namespace

std::optional<std::string> created_sequence(std::string_view sql) {
    for (const std::string_view expected : create_words) {
        if (!same_word(take_word(sql), expected)) return std::nullopt;
    }
    std::string name;
    for (const char c : take_word(sql))
        name += lower(c);
    while (!sql.empty() && (is_space(sql.front()) || sql.front() == ';'))
        sql.remove_prefix(1);
    if (name.empty() || !sql.empty()) return std::nullopt;
    return name;
}

int create_sequence(sqlite3* connection, const std::string& name) {
    const int made = sqlite3_exec(connection,
                                  "create table if not exists crier_sequences ("
                                  "name text primary key, value integer not null) without rowid",
                                  nullptr, nullptr, nullptr);
    if (made != SQLITE_OK) return sqlite3_extended_errcode(connection);
    const OwnedStatement statement =
        prepare(connection, "insert into crier_sequences values (?1, 0) on conflict do nothing");
    if (!statement) return sqlite3_extended_errcode(connection);
    sqlite3_bind_text(statement.get(), 1, name.data(), static_cast<int>(name.size()),
                      SQLITE_STATIC);
    if (sqlite3_step(statement.get()) == SQLITE_DONE) return SQLITE_OK;
    return sqlite3_extended_errcode(connection);
}

int register_nextval(sqlite3* connection) {
    return sqlite3_create_function_v2(connection, "nextval", 1, SQLITE_UTF8 | SQLITE_INNOCUOUS,
                                      nullptr, nextval, nullptr, nullptr, nullptr);
}

} // namespace crier::messaging::sqlite
