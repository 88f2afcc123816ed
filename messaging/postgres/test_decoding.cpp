#include "messaging/postgres/test_decoding.hpp"

#include "messaging/postgres/values.hpp"

#include <algorithm>
#include <cctype>

namespace crier::messaging::postgres {

namespace {

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Reads from left to right. What does not fit makes everything after it fail.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    [[nodiscard]] bool is_fine() const { return is_fine_; }
    [[nodiscard]] bool is_at_end() const { return rest_.empty(); }
    [[nodiscard]] std::string_view rest() const { return rest_; }

    bool take(std::string_view expected) {
        if (!is_fine_ || !rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }

    void must_take(std::string_view expected) {
        if (!take(expected)) is_fine_ = false;
    }

    /// A quoted text whose quotes are doubled, as its meaning.
    std::string quoted(char quote) {
        std::string text;
        must_take(std::string_view(&quote, 1));
        while (is_fine_) {
            const std::size_t end = rest_.find(quote);
            if (end == std::string_view::npos) {
                is_fine_ = false;
                break;
            }
            text += rest_.substr(0, end);
            rest_.remove_prefix(end + 1);
            if (rest_.empty() || rest_.front() != quote) break;
            text += quote;
            rest_.remove_prefix(1);
        }
        return text;
    }

    /// An identifier of SQL: plain, or in double quotes.
    std::string identifier() {
        if (rest_.starts_with('"')) return quoted('"');
        return plain([](char c) {
            return std::islower(static_cast<unsigned char>(c)) != 0 ||
                   std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '_';
        });
    }

    /// What a value without quotes is made of: a number, a word.
    std::string word() {
        return plain([](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' ||
                   c == '+';
        });
    }

    /// The name of a type up to its closing bracket; an array's name has brackets itself, and a
    /// name in double quotes may have anything.
    std::string type() {
        std::string name;
        int depth = 0;
        while (is_fine_) {
            if (rest_.empty()) {
                is_fine_ = false;
                break;
            }
            const char c = rest_.front();
            if (c == '"') {
                name += '"' + quoted('"') + '"';
                continue;
            }
            if (c == ']' && depth == 0) break;
            depth += c == '[' ? 1 : c == ']' ? -1 : 0;
            name += c;
            rest_.remove_prefix(1);
        }
        if (name.empty()) is_fine_ = false;
        return name;
    }

private:
    template <class Predicate>
    std::string plain(Predicate belongs) {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), belongs);
        const auto length = static_cast<std::size_t>(end - rest_.begin());
        if (length == 0) is_fine_ = false;
        std::string text(rest_.substr(0, length));
        rest_.remove_prefix(length);
        return text;
    }

    std::string_view rest_;
    bool is_fine_ = true;
};

Value read_column_value(Reader& reader, const std::string& type) {
    const TypeId id = type_named(type);
    if (reader.rest().starts_with('\'')) return read_value(reader.quoted('\''), id);
    if (reader.take("B")) return reader.quoted('\'');
    const std::string word = reader.word();
    if (word == "null") return std::monostate{};
    return read_value(word, id);
}

bool read_insert(Reader& reader, DecodedInsert& insert) {
    if (reader.take(" (no-tuple-data)")) return reader.is_at_end();
    while (reader.is_fine() && !reader.is_at_end()) {
        reader.must_take(" ");
        insert.change.columns.push_back(reader.identifier());
        reader.must_take("[");
        const std::string type = reader.type();
        reader.must_take("]:");
        insert.change.row.push_back(read_column_value(reader, type));
    }
    return reader.is_fine();
}

} // namespace

std::optional<Decoded> read_decoded(std::string_view text) {
    Reader reader(text);
    if (reader.take("BEGIN ")) {
        if (is_digits(reader.rest())) return DecodedBegin{};
        return std::nullopt;
    }
    if (reader.take("COMMIT ")) {
        if (is_digits(reader.rest())) return DecodedCommit{};
        return std::nullopt;
    }
    if (reader.take("message: ")) return DecodedOther{};
    DecodedInsert insert;
    reader.must_take("table ");
    insert.schema = reader.identifier();
    reader.must_take(".");
    insert.change.table = reader.identifier();
    // A truncation names all its tables.
    while (reader.take(", ")) {
        reader.identifier();
        reader.must_take(".");
        reader.identifier();
    }
    reader.must_take(": ");
    if (reader.take("UPDATE:") || reader.take("DELETE:") || reader.take("TRUNCATE:"))
        return DecodedOther{};
    reader.must_take("INSERT:");
    if (!read_insert(reader, insert)) return std::nullopt;
    return insert;
}

} // namespace crier::messaging::postgres
