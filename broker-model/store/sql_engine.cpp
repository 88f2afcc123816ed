#include "broker-model/store/sql_engine.hpp"

#include "messaging/ports/ensure.hpp"
#include "sim/hash.hpp"

#include <algorithm>
#include <charconv>
#include <sqlite3.h>

namespace crier::broker {

namespace {

constexpr std::size_t statements_max = 512;

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

/// The words of `create sequence [if not exists] NAME`, or none of it.
struct SequenceStatement {
    bool is_one = false;
    bool may_exist = false;
    std::string name; ///< Empty: a mistake in it.
};

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

struct SqlEngine::Glue {
    // Asked while a statement is compiled. Transactions are the server's, and so are its settings.
    static int authorize(void* self, int action, const char*, const char* name, const char*,
                         const char*) {
        const auto& engine = *static_cast<SqlEngine*>(self);
        switch (action) {
        case SQLITE_TRANSACTION:
        case SQLITE_SAVEPOINT:
        case SQLITE_ATTACH:
        case SQLITE_DETACH: return SQLITE_DENY;
        case SQLITE_PRAGMA:
            return engine.trusted_ || engine.sources_ == nullptr ? SQLITE_OK : SQLITE_DENY;
        // They tell of the connection, which several transactions have in turn.
        case SQLITE_FUNCTION: return is_of_connection(name) ? SQLITE_DENY : SQLITE_OK;
        default: return SQLITE_OK;
        }
    }

    static bool is_of_connection(std::string_view function) {
        return function == "last_insert_rowid" || function == "changes" ||
               function == "total_changes";
    }
};

std::size_t SqlEngine::TextHash::operator()(std::string_view text) const {
    return sim::hash_text(text);
}

void SqlEngine::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

SqlEngine::SqlEngine(const PageImage& image, SqlSources* sources) : sources_(sources) {
    snapshot_.show(image);
    latest_.show(image);
    connection_ = open_images(snapshot_, latest_, "latest");
    obey_foreign_keys(true);
    functions_.emplace(connection_, sources);
    sqlite3_set_authorizer(connection_, &Glue::authorize, this);
}

SqlEngine::~SqlEngine() {
    cache_.clear();
    sqlite3_close_v2(connection_);
}

void SqlEngine::begin_anew(const PageImage& image, SqlSources& sources) {
    show(image);
    latest_.show(image);
    sources_ = &sources;
    functions_->set_sources(sources);
}

void SqlEngine::forget_images() {
    snapshot_.show(PageImage());
    latest_.show(PageImage());
}

void SqlEngine::show(PageImage image) {
    const bool is_same =
        snapshot_.image().page_count() > 0 && schema_of(image) == schema_of(snapshot_.image());
    snapshot_.show(std::move(image));
    if (!is_same) read_schema();
}

/// SQLite looks whether it knows the schema when a statement runs, but not when it compiles `create
/// table`: that would find a table which was rolled back.
void SqlEngine::read_schema() {
    const int code = sqlite3_exec(connection_, "select 1 from main.sqlite_schema limit 0", nullptr,
                                  nullptr, nullptr);
    ensure(code == SQLITE_OK, sqlite3_errmsg(connection_));
}

SqlAnswer SqlEngine::fail(StoreError error, std::string problem) {
    problem_ = std::move(problem);
    SqlAnswer answer;
    answer.error = error;
    return answer;
}

SqlEngine::Prepared* SqlEngine::prepare(const std::string& sql) {
    const auto found = cache_.find(sql);
    if (found != cache_.end()) return &found->second;
    Prepared prepared;
    const SequenceStatement sequence = parse_sequence(sql);
    if (sequence.is_one) {
        prepared.sequence = sequence.name;
        prepared.may_exist = sequence.may_exist;
        if (sequence.name.empty()) {
            problem_ = "expected: create sequence [if not exists] NAME";
            return nullptr;
        }
    } else {
        prepared.text = read_statement(sql);
        problem_ = prepared.text.problem;
        if (!problem_.empty()) return nullptr;
        if (prepared.text.setting == StatementText::Setting::none && !compile(prepared))
            return nullptr;
    }
    if (cache_.size() >= statements_max) cache_.clear();
    return &cache_.emplace(sql, std::move(prepared)).first->second;
}

const StatementText* SqlEngine::text_of(const std::string& sql) {
    const Prepared* const prepared = prepare(sql);
    return prepared == nullptr ? nullptr : &prepared->text;
}

SqlEngine::Statement SqlEngine::compile(const std::string& text) {
    const char* tail = nullptr;
    sqlite3_stmt* compiled = nullptr;
    const int code =
        sqlite3_prepare_v3(connection_, text.c_str(), static_cast<int>(text.size() + 1),
                           SQLITE_PREPARE_PERSISTENT, &compiled, &tail);
    Statement statement(compiled);
    if (code != SQLITE_OK) {
        problem_ = sqlite3_errmsg(connection_);
        return nullptr;
    }
    if (compiled == nullptr || !is_blank(tail)) {
        problem_ = "expected exactly one statement";
        return nullptr;
    }
    return statement;
}

bool SqlEngine::compile(Prepared& prepared) {
    prepared.snapshot = compile(prepared.text.snapshot);
    if (prepared.snapshot == nullptr) return false;
    prepared.only_reads = sqlite3_stmt_readonly(prepared.snapshot.get()) != 0;
    return number_parameters(prepared);
}

bool SqlEngine::number_parameters(Prepared& prepared) {
    const int count = sqlite3_bind_parameter_count(prepared.snapshot.get());
    for (int index = 1; index <= count; ++index) {
        const char* const name = sqlite3_bind_parameter_name(prepared.snapshot.get(), index);
        const std::string_view text = name == nullptr ? std::string_view() : name;
        int number = 0;
        const auto parsed =
            text.size() < 2 ? std::from_chars_result{nullptr, std::errc::invalid_argument}
                            : std::from_chars(text.data() + 1, text.data() + text.size(), number);
        if (text.empty() || text.front() != '$' || parsed.ec != std::errc() || number < 1 ||
            parsed.ptr != text.data() + text.size()) {
            problem_ = "parameters are written $1, $2 ...";
            return false;
        }
        prepared.numbers.push_back(number);
        prepared.parameter_count =
            std::max(prepared.parameter_count, static_cast<std::size_t>(number));
    }
    return true;
}

// The values outlive the run, so SQLite need not copy them.
bool SqlEngine::bind(const Prepared& prepared, sqlite3_stmt* statement,
                     const std::vector<Value>& parameters) {
    if (parameters.size() != prepared.parameter_count) return false;
    int index = 0;
    for (const int number : prepared.numbers) {
        ++index;
        const Value& value = parameters[static_cast<std::size_t>(number - 1)];
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

SqlAnswer SqlEngine::make_sequence(const Prepared& prepared) {
    if (sources_ == nullptr) return fail(StoreError::statement_error, "no sequences here");
    const SequenceResult result = sources_->create_sequence(prepared.sequence);
    if (result == SequenceResult::done || (result == SequenceResult::exists && prepared.may_exist))
        return {};
    return fail(StoreError::statement_error, "the sequence exists");
}

SqlAnswer SqlEngine::run(const std::string& sql, const std::vector<Value>& parameters, Show show,
                         std::vector<std::int64_t>& found) {
    Prepared* const prepared = prepare(sql);
    if (prepared == nullptr) return fail(StoreError::statement_error, std::move(problem_));
    return run(*prepared, parameters, show, found);
}

SqlAnswer SqlEngine::run(Prepared& prepared, const std::vector<Value>& parameters, Show show,
                         std::vector<std::int64_t>& found) {
    if (prepared.snapshot == nullptr) return make_sequence(prepared);
    if (show == Show::latest && prepared.latest == nullptr) {
        prepared.latest = compile(prepared.text.latest);
        if (prepared.latest == nullptr)
            return fail(StoreError::statement_error, std::move(problem_));
    }
    sqlite3_stmt* const statement =
        show == Show::latest ? prepared.latest.get() : prepared.snapshot.get();
    if (!bind(prepared, statement, parameters)) {
        return fail(StoreError::statement_error, "another number of parameters was expected");
    }
    ImageFile& written = show == Show::latest ? latest_ : snapshot_;
    PageImage before;
    if (!prepared.only_reads) before = written.image();
    functions_->statement_begins();
    const bool locks = prepared.text.locking.has_value();
    SqlAnswer answer;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const int columns = sqlite3_column_count(statement) - (locks ? 1 : 0);
        do {
            Row& row = answer.rows.emplace_back();
            row.reserve(static_cast<std::size_t>(columns));
            for (int column = 0; column < columns; ++column)
                row.push_back(value_of(statement, column));
            if (locks) found.push_back(sqlite3_column_int64(statement, columns));
            code = sqlite3_step(statement);
        } while (code == SQLITE_ROW);
    }
    if (code != SQLITE_DONE) answer = fail(error_of(code), sqlite3_errmsg(connection_));
    sqlite3_reset(statement);
    if (prepared.only_reads) return answer;
    if (!answer.is_ok()) {
        if (show == Show::latest) {
            latest_.show(std::move(before));
        } else {
            this->show(std::move(before));
        }
    } else if (schema_of(written.image()) != schema_of(before)) {
        seal_schema();
    }
    return answer;
}

// SQLite counts the changes of a schema, so that two databases, or one whose transaction was rolled
// back, come to the same number with different tables. A hash of them is none that another has.
void SqlEngine::seal_schema() {
    trusted_ = true;
    const Statement statement = compile("select type, name, rootpage, sql from main.sqlite_schema");
    trusted_ = false;
    std::uint64_t hash = 0;
    while (sqlite3_step(statement.get()) == SQLITE_ROW) {
        for (int column = 0; column < 4; ++column) {
            const auto* const text =
                reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), column));
            hash = sim::mix(hash, sim::hash_text(text == nullptr ? "" : text));
        }
    }
    sqlite3_reset(statement.get());
    PageImage sealed = snapshot_.image();
    set_schema(sealed, static_cast<std::uint32_t>(hash >> 32 | 1));
    show(std::move(sealed));
}

std::vector<std::int64_t> SqlEngine::row_ids(const std::string& sql,
                                             const std::vector<Value>& parameters) {
    std::vector<std::int64_t> ids;
    Prepared* const prepared = prepare(sql);
    if (prepared == nullptr || parameters.size() < prepared->parameter_count) return ids;
    const std::vector<Value> used(parameters.begin(),
                                  parameters.begin() +
                                      static_cast<std::ptrdiff_t>(prepared->parameter_count));
    std::vector<std::int64_t> none;
    const SqlAnswer answer = run(*prepared, used, Show::snapshot, none);
    for (const Row& row : answer.rows) {
        if (const auto* const id = std::get_if<std::int64_t>(&row.front())) ids.push_back(*id);
    }
    return ids;
}

SqlAnswer SqlEngine::read(const std::string& sql) {
    Prepared* const prepared = prepare(sql);
    if (prepared == nullptr) return fail(StoreError::statement_error, std::move(problem_));
    if (!prepared->only_reads)
        return fail(StoreError::statement_error, "expected a statement that only reads");
    std::vector<std::int64_t> found;
    return run(*prepared, {}, Show::snapshot, found);
}

void SqlEngine::obey_foreign_keys(bool obey) {
    sqlite3_db_config(connection_, SQLITE_DBCONFIG_ENABLE_FKEY, obey ? 1 : 0, nullptr);
}

std::shared_ptr<const TableShapes> SqlEngine::shapes() {
    trusted_ = true;
    auto shapes = read_table_shapes(connection_);
    trusted_ = false;
    return shapes;
}

bool SqlEngine::check(const std::string& sql) {
    return prepare(sql) != nullptr;
}

} // namespace crier::broker
