#pragma once

#include <optional>
#include <string>
#include <string_view>

// Sequences for a database that has none: PostgreSQL's `create sequence if not exists NAME` and
// `nextval('NAME')`, kept in a table of their own. Unlike PostgreSQL's, a number that was handed
// out comes back when its transaction is rolled back; nobody has seen it then.

struct sqlite3;

namespace crier::messaging::sqlite {

/// Returns the sequence's name if `sql` is `create sequence if not exists NAME`.
[[nodiscard]] std::optional<std::string> created_sequence(std::string_view sql);

/// Makes the sequence unless it exists. **Returns** SQLite's extended result code.
[[nodiscard]] int create_sequence(sqlite3* connection, const std::string& name);

/// Makes `nextval` known to `connection`; usable as a column default: `default (nextval('x'))`.
[[nodiscard]] int register_nextval(sqlite3* connection);

} // namespace crier::messaging::sqlite
