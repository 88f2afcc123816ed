#include "broker-model/store/sql_engine.hpp"

#include "broker-model/store/sql_parts.hpp"
#include "messaging/ports/ensure.hpp"
#include "sim/hash.hpp"
#include "sim/utf8.hpp"

#include <algorithm>
#include <sqlite3.h>

namespace crier::broker {

namespace {

constexpr std::size_t statements_max = 512;

/// SQLite takes any bytes for a text. **Source**: PostgreSQL, 22021,
/// character_not_in_repertoire; pg_verify_mbstr.
bool is_bad_text(const Value& value) {
    const auto* const text = std::get_if<std::string>(&value);
    if (text == nullptr) return false;
    for (std::size_t at = 0; at < text->size();) {
        const std::size_t length = (*text)[at] == '\0' ? 0 : sim::utf8_length(*text, at);
        if (length == 0) return true;
        at += length;
    }
    return false;
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

bool SqlEngine::compile(Prepared& prepared) {
    prepared.snapshot = broker::compile(connection_, prepared.text.snapshot, problem_);
    if (prepared.snapshot == nullptr) return false;
    prepared.only_reads = sqlite3_stmt_readonly(prepared.snapshot.get()) != 0;
    return number_parameters(prepared);
}

bool SqlEngine::number_parameters(Prepared& prepared) {
    problem_ = prepared.parameters.read(prepared.snapshot.get());
    return problem_.empty();
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
        prepared.latest = broker::compile(connection_, prepared.text.latest, problem_);
        if (prepared.latest == nullptr)
            return fail(StoreError::statement_error, std::move(problem_));
    }
    sqlite3_stmt* const statement =
        show == Show::latest ? prepared.latest.get() : prepared.snapshot.get();
    if (std::any_of(parameters.begin(), parameters.end(), is_bad_text))
        return fail(StoreError::statement_error, "a text is UTF-8, without zero bytes");
    if (!prepared.parameters.bind(statement, parameters)) {
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
            answer.rows.push_back(row_of(statement, columns));
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
    const SqlStatement statement = broker::compile(
        connection_, "select type, name, rootpage, sql from main.sqlite_schema", problem_);
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
    if (prepared == nullptr || parameters.size() < prepared->parameters.count()) return ids;
    const std::vector<Value> used(parameters.begin(),
                                  parameters.begin() +
                                      static_cast<std::ptrdiff_t>(prepared->parameters.count()));
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
