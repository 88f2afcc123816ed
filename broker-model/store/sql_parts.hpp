#pragma once

#include "messaging/ports/store.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

// What every connection to SQLite in the simulation does alike, whether it serves a database server
// or a file: statements of one text, `$1` parameters, values, errors, and the words that make a
// sequence.

namespace crier::broker {

struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const;
};

/// A compiled statement.
using SqlStatement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// Compiles exactly one statement, to be kept. **Returns** null when it is none; then `problem` is
/// set.
[[nodiscard]] SqlStatement compile(sqlite3* connection, const std::string& text,
                                   std::string& problem);

/// Which `$n` stands at which of SQLite's indices: that numbers them by their first appearance.
class NumberedParameters {
public:
    /// Reads a statement's. **Returns** what is wrong with them, or an empty text.
    [[nodiscard]] std::string read(sqlite3_stmt* statement);

    /// Returns how many values are needed.
    [[nodiscard]] std::size_t count() const { return count_; }

    /// Binds values, which outlive the run. **Returns** false when another number was expected.
    [[nodiscard]] bool bind(sqlite3_stmt* statement, const std::vector<Value>& values) const;

private:
    std::vector<int> numbers_; // by SQLite's index
    std::size_t count_ = 0;
};

/// Returns the first `columns` values of the row at which the statement stands.
[[nodiscard]] Row row_of(sqlite3_stmt* statement, int columns);

/// Returns what an extended result code of a statement means.
[[nodiscard]] StoreError error_of(int code);

/// The words of `create sequence [if not exists] NAME`, or none of it.
struct SequenceStatement {
    bool is_one = false;
    bool may_exist = false;
    std::string name; ///< Empty: a mistake in it.
};

[[nodiscard]] SequenceStatement parse_sequence(std::string_view sql);

} // namespace crier::broker
