#include "messaging/sqlite/connection.hpp"

#include "messaging/sqlite/sequences.hpp"
#include "messaging/sqlite/sqlite_errors.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace crier::messaging::sqlite {

namespace {

/// How long to wait before asking again for what SQLite refuses without asking its busy handler.
constexpr int busy_pause_ms = 5;

int to_ms(Duration duration) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 1'000'000'000));
}

/// Returns whether nothing but blanks and semicolons follows a statement.
bool is_end(std::string_view tail) {
    return tail.find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

/// Returns k of a parameter named `$k`, or 0.
std::size_t parameter_number(const char* name) {
    if (name == nullptr || name[0] != '$') return 0;
    const std::string_view digits(name + 1);
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc() && end == digits.data() + digits.size() ? number : 0;
}

/// Binds by reference: `value` must outlive the statement's run.
int bind(sqlite3_stmt* statement, int index, const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        return sqlite3_bind_int64(statement, index, *integer);
    }
    if (const auto* real = std::get_if<double>(&value)) {
        return sqlite3_bind_double(statement, index, *real);
    }
    if (const auto* text = std::get_if<std::string>(&value)) {
        return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC,
                                   SQLITE_UTF8);
    }
    return sqlite3_bind_null(statement, index);
}

/// SQLite reads `$1` as a name, numbered by first appearance: what is bound is looked up by name.
int bind_all(sqlite3_stmt* statement, const std::vector<Value>& values) {
    const int count = sqlite3_bind_parameter_count(statement);
    for (int index = 1; index <= count; ++index) {
        const std::size_t number = parameter_number(sqlite3_bind_parameter_name(statement, index));
        if (number == 0 || number > values.size()) return SQLITE_RANGE;
        const int result = bind(statement, index, values[number - 1]);
        if (result != SQLITE_OK) return result;
    }
    return SQLITE_OK;
}

Value column(sqlite3_stmt* statement, int index) {
    switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER: return static_cast<std::int64_t>(sqlite3_column_int64(statement, index));
    case SQLITE_FLOAT: return sqlite3_column_double(statement, index);
    case SQLITE_NULL: return std::monostate{};
    default: break;
    }
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, index));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, index));
    return bytes == nullptr ? std::string() : std::string(bytes, size);
}

Row read_row(sqlite3_stmt* statement) {
    const int columns = sqlite3_column_count(statement);
    Row row;
    row.reserve(static_cast<std::size_t>(columns));
    for (int index = 0; index < columns; ++index)
        row.push_back(column(statement, index));
    return row;
}

/// Puts a statement back to its start, whatever became of its run.
class Rewind {
public:
    explicit Rewind(sqlite3_stmt* statement) : statement_(statement) {}
    ~Rewind() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }
    Rewind(const Rewind&) = delete;
    Rewind& operator=(const Rewind&) = delete;

private:
    sqlite3_stmt* statement_;
};

} // namespace

Outcome<std::unique_ptr<Connection>> Connection::open(ConnectionOptions options) {
    std::unique_ptr<Connection> opened(new Connection(std::move(options)));
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int result =
        sqlite3_open_v2(opened->options_.path.c_str(), &opened->connection_, flags, nullptr);
    if (result == SQLITE_OK) result = opened->configure();
    if (result != SQLITE_OK) return to_failure(result, Step::open);
    return opened;
}

Connection::~Connection() {
    for (auto& [sql, prepared] : prepared_)
        sqlite3_finalize(prepared.statement);
    sqlite3_close(connection_);
}

int Connection::configure() {
    const int busy_ms = to_ms(options_.busy_timeout);
    sqlite3_busy_timeout(connection_, busy_ms);
    // Changing to the write-ahead log does not ask the busy handler when two processes do it at
    // once.
    int result = SQLITE_BUSY;
    for (int waited = 0; result == SQLITE_BUSY && waited <= busy_ms; waited += busy_pause_ms) {
        if (waited > 0) sqlite3_sleep(busy_pause_ms);
        result = run("pragma journal_mode = wal");
    }
    if (result == SQLITE_OK) result = run("pragma synchronous = full");
    if (result == SQLITE_OK) result = run("pragma foreign_keys = on");
    if (result == SQLITE_OK) result = register_nextval(connection_);
    return result;
}

int Connection::run(const char* sql) {
    return sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
}

Outcome<void> Connection::begin() {
    const int result = run("begin immediate");
    if (result != SQLITE_OK) return to_failure(result, Step::open);
    return {};
}

Outcome<Rows> Connection::execute(const std::string& sql, const std::vector<Value>& values) {
    if (const auto sequence = created_sequence(sql)) {
        const int created = create_sequence(connection_, *sequence);
        if (created != SQLITE_OK) return to_failure(created, Step::statement);
        return Rows{};
    }
    const Outcome<sqlite3_stmt*> prepared = prepare(sql);
    if (!prepared) return prepared.error();
    sqlite3_stmt* const statement = *prepared;
    const Rewind rewind(statement);
    const int bound = bind_all(statement, values);
    if (bound != SQLITE_OK) return to_failure(bound, Step::statement);
    Rows rows;
    int result = sqlite3_step(statement);
    for (; result == SQLITE_ROW; result = sqlite3_step(statement)) {
        rows.push_back(read_row(statement));
    }
    if (result != SQLITE_DONE) return to_failure(result, Step::statement);
    return rows;
}

Outcome<void> Connection::commit() {
    const int result = run("commit");
    if (result != SQLITE_OK) return to_failure(result, Step::commit);
    return {};
}

void Connection::rollback() {
    // Some errors make SQLite roll back by itself; there is nothing left to undo then.
    if (sqlite3_get_autocommit(connection_) == 0) run("rollback");
}

Outcome<sqlite3_stmt*> Connection::prepare(const std::string& sql) {
    const auto found = prepared_.find(sql);
    if (found != prepared_.end()) {
        found->second.used_at = ++uses_;
        return found->second.statement;
    }
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    const int result = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()) + 1,
                                          SQLITE_PREPARE_PERSISTENT, &statement, &tail);
    if (result != SQLITE_OK) return to_failure(result, Step::statement);
    // Empty text, or a second statement that would silently not run.
    if (statement == nullptr || !is_end(tail)) {
        sqlite3_finalize(statement);
        return to_failure(SQLITE_ERROR, Step::statement);
    }
    if (prepared_.size() >= options_.statements_max) forget_oldest();
    const Prepared kept{statement, ++uses_};
    prepared_.emplace(sql, kept);
    return statement;
}

void Connection::forget_oldest() {
    const auto oldest =
        std::min_element(prepared_.begin(), prepared_.end(), [](const auto& a, const auto& b) {
            return a.second.used_at < b.second.used_at;
        });
    if (oldest == prepared_.end()) return;
    sqlite3_finalize(oldest->second.statement);
    prepared_.erase(oldest);
}

} // namespace crier::messaging::sqlite
