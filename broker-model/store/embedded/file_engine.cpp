#include "broker-model/store/embedded/file_engine.hpp"

#include "broker-model/store/embedded/disk_vfs.hpp"
#include "sim/world.hpp"

#include <sqlite3.h>

namespace crier::broker {

namespace {

constexpr std::size_t statements_max = 64;

/// Codes that say that the disk or the memory behind the connection failed.
bool is_io_error(int primary) {
    return primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_NOMEM ||
           primary == SQLITE_PROTOCOL;
}

bool is_corrupt(int primary) {
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

} // namespace

struct FileEngine::Glue {
    // Asked while a statement is compiled. Transactions are the store's, and so are settings.
    static int authorize(void* self, int action, const char*, const char*, const char*,
                         const char*) {
        auto& engine = *static_cast<FileEngine*>(self);
        switch (action) {
        case SQLITE_TRANSACTION:
        case SQLITE_SAVEPOINT:
        case SQLITE_ATTACH:
        case SQLITE_DETACH:
        case SQLITE_PRAGMA: return engine.trusted_ ? SQLITE_OK : SQLITE_DENY;
        case SQLITE_CREATE_TABLE:
        case SQLITE_DROP_TABLE:
        case SQLITE_ALTER_TABLE: engine.compiling_schema_ = true; return SQLITE_OK;
        default: return SQLITE_OK;
        }
    }
};

FileEngine::FileEngine(sim::Node& node, const FileOptions& options)
    : node_(node), options_(options), access_(node) {}

Outcome<std::unique_ptr<FileEngine>> FileEngine::open(sim::Node& node, const FileOptions& options) {
    std::unique_ptr<FileEngine> opened(new FileEngine(node, options));
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI |
                          SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(disk_uri(opened->access_, options.name).c_str(),
                               &opened->connection_, flags, disk_vfs_name);
    if (code == SQLITE_OK) code = opened->configure();
    if (code != SQLITE_OK) return opened->fail(code, Step::open);
    return opened;
}

FileEngine::~FileEngine() {
    prepared_.clear();
    capture_.reset();
    sqlite3_close_v2(connection_);
}

// Without shared memory a write-ahead log needs exclusive locking, chosen before the first read; in
// other modes that would keep journals that are to be deleted. **Source**: SQLite, wal.html 8;
// pragma.html, locking_mode; pager.c, pager_end_transaction.
int FileEngine::configure() {
    std::string settings =
        options_.journal_mode == JournalMode::wal ? "pragma locking_mode=exclusive; " : "";
    settings += "pragma temp_store=memory; pragma secure_delete=off; pragma foreign_keys=on; "
                "pragma page_size=" +
                std::to_string(options_.page_size) +
                "; pragma wal_autocheckpoint=" + std::to_string(options_.checkpoint_pages) +
                "; pragma synchronous=" + name_of(options_.synchronous);
    int code = run_own(settings.c_str());
    if (code != SQLITE_OK) return code;
    code = set_journal_mode();
    if (code != SQLITE_OK) return code;
    functions_.emplace(connection_, static_cast<SqlSources*>(this));
    // A file has nobody to tell, and no transactions beside one's own.
    for (const char* const name : {"pg_notify", "pg_current_xact_id", "pg_current_snapshot",
                                   "pg_snapshot_xmin", "pg_snapshot_xmax", "unlocked"}) {
        for (int count = 0; count <= 3; ++count)
            sqlite3_create_function_v2(connection_, name, count, SQLITE_UTF8, nullptr, nullptr,
                                       nullptr, nullptr, nullptr);
    }
    capture_.emplace(connection_, options_.watches, node_.world());
    schema_changed();
    sqlite3_set_authorizer(connection_, &Glue::authorize, this);
    return SQLITE_OK;
}

int FileEngine::set_journal_mode() {
    const std::string mode = name_of(options_.journal_mode);
    const SqlStatement set = compile_own(("pragma journal_mode=" + mode).c_str());
    if (set == nullptr) return sqlite3_extended_errcode(connection_);
    const int code = sqlite3_step(set.get());
    if (code != SQLITE_ROW) return code == SQLITE_DONE ? SQLITE_ERROR : code;
    // It stays in another mode when it cannot change.
    return row_of(set.get(), 1).front() == Value(mode) ? SQLITE_OK : SQLITE_CANTOPEN;
}

int FileEngine::run_own(const char* sql) {
    trusted_ = true;
    const int code = sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
    trusted_ = false;
    return code == SQLITE_OK ? code : sqlite3_extended_errcode(connection_);
}

SqlStatement FileEngine::compile_own(const char* sql) {
    trusted_ = true;
    SqlStatement statement = compile(connection_, sql, problem_);
    trusted_ = false;
    return statement;
}

void FileEngine::schema_changed() {
    trusted_ = true;
    capture_->schema_changed();
    trusted_ = false;
}

// **Source**: messaging/sqlite/sqlite_errors, but for a broken file, of which it is said that the
// statement failed. Without a journal a commit that did not fit may be there in part.
Failure FileEngine::fail(int code, Step step) {
    problem_ = connection_ == nullptr ? "no memory" : sqlite3_errmsg(connection_);
    const int primary = code & 0xff;
    const Certainty after = step == Step::commit ? Certainty::unknown : Certainty::failed;
    broken_ = broken_ || is_io_error(primary) || is_corrupt(primary);
    if (is_io_error(primary))
        return {step == Step::open ? StoreError::unavailable : StoreError::connection_lost, after};
    if (is_corrupt(primary)) return {StoreError::statement_error, after};
    if (primary == SQLITE_FULL) {
        const bool is_undone = options_.journal_mode != JournalMode::off;
        broken_ = broken_ || !is_undone;
        return {StoreError::disk_full, is_undone ? Certainty::failed : after};
    }
    if (step == Step::open) return {StoreError::unavailable, Certainty::failed};
    if (code == SQLITE_CONSTRAINT_TRIGGER)
        return {StoreError::foreign_key_violation, Certainty::failed};
    return {error_of(code), Certainty::failed};
}

Failure FileEngine::fail_with(std::string problem) {
    problem_ = std::move(problem);
    return {StoreError::statement_error, Certainty::failed};
}

Outcome<void> FileEngine::begin() {
    capture_->clear();
    schema_touched_ = false;
    changes_before_ = sqlite3_total_changes64(connection_);
    const int code = run_own("begin immediate");
    if (code != SQLITE_OK) return fail(code, Step::open);
    return {};
}

bool FileEngine::wrote() const {
    return schema_touched_ || sqlite3_total_changes64(connection_) != changes_before_;
}

FileEngine::Prepared* FileEngine::prepare(const std::string& sql) {
    const auto found = prepared_.find(sql);
    if (found != prepared_.end()) return &found->second;
    Prepared prepared;
    prepared.sequence = parse_sequence(sql);
    if (prepared.sequence.is_one) {
        if (prepared.sequence.name.empty()) {
            problem_ = "expected: create sequence [if not exists] NAME";
            return nullptr;
        }
    } else {
        compiling_schema_ = false;
        prepared.statement = compile(connection_, sql, problem_);
        if (prepared.statement == nullptr) return nullptr;
        prepared.changes_schema = compiling_schema_;
        problem_ = prepared.parameters.read(prepared.statement.get());
        if (!problem_.empty()) return nullptr;
    }
    if (prepared_.size() >= statements_max) prepared_.clear();
    return &prepared_.emplace(sql, std::move(prepared)).first->second;
}

Outcome<Rows> FileEngine::run(const std::string& sql, const std::vector<Value>& parameters) {
    Prepared* const prepared = prepare(sql);
    if (prepared == nullptr) {
        const int code = sqlite3_extended_errcode(connection_);
        if (code != SQLITE_OK && code != SQLITE_ERROR) return fail(code, Step::statement);
        return fail_with(std::move(problem_));
    }
    if (prepared->sequence.is_one) return make_sequence(prepared->sequence);
    sqlite3_stmt* const statement = prepared->statement.get();
    if (!prepared->parameters.bind(statement, parameters))
        return fail_with("another number of parameters was expected");
    statement_ = sim::hash_text(sql);
    functions_->statement_begins();
    Rows rows;
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement))
        rows.push_back(row_of(statement, sqlite3_column_count(statement)));
    const std::optional<Failure> failure =
        code == SQLITE_DONE ? std::nullopt : std::optional(fail(code, Step::statement));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (failure) return *failure;
    if (prepared->changes_schema) {
        schema_touched_ = true;
        schema_changed();
    }
    return rows;
}

Outcome<void> FileEngine::commit() {
    const int code = run_own("commit");
    if (code != SQLITE_OK) return fail(code, Step::commit);
    return {};
}

// Some errors make SQLite roll back by itself; there is nothing left to undo then.
void FileEngine::rollback() {
    if (sqlite3_get_autocommit(connection_) == 0) run_own("rollback");
    capture_->clear();
    if (std::exchange(schema_touched_, false)) schema_changed();
}

// As the SQLite adapter keeps them: a number that was handed out comes back when its transaction is
// rolled back.
Outcome<Rows> FileEngine::make_sequence(const SequenceStatement& sequence) {
    const int made = run_own("create table if not exists crier_sequences ("
                             "name text primary key, value integer not null) without rowid");
    if (made != SQLITE_OK) return fail(made, Step::statement);
    schema_touched_ = true;
    switch (create_sequence(sequence.name)) {
    case SequenceResult::done: return Rows{};
    case SequenceResult::exists:
        if (sequence.may_exist) return Rows{};
        return fail_with("the sequence exists");
    default: return fail(sqlite3_extended_errcode(connection_), Step::statement);
    }
}

SequenceResult FileEngine::create_sequence(std::string_view name) {
    const SqlStatement insert =
        compile_own("insert into crier_sequences values (?1, 0) on conflict do nothing");
    if (insert == nullptr) return SequenceResult::dead;
    sqlite3_bind_text(insert.get(), 1, name.data(), static_cast<int>(name.size()), SQLITE_STATIC);
    if (sqlite3_step(insert.get()) != SQLITE_DONE) return SequenceResult::dead;
    return sqlite3_changes64(connection_) > 0 ? SequenceResult::done : SequenceResult::exists;
}

SequenceResult FileEngine::next_value(std::string_view sequence, std::int64_t& value) {
    const SqlStatement update = compile_own("update crier_sequences set value = value + 1 "
                                            "where name = lower(?1) returning value");
    if (update == nullptr) return SequenceResult::unknown_name;
    sqlite3_bind_text(update.get(), 1, sequence.data(), static_cast<int>(sequence.size()),
                      SQLITE_STATIC);
    int code = sqlite3_step(update.get());
    if (code == SQLITE_DONE) return SequenceResult::unknown_name;
    if (code == SQLITE_ROW) {
        value = sqlite3_column_int64(update.get(), 0);
        code = sqlite3_step(update.get()); // only the end of the statement makes it count
    }
    if (code == SQLITE_DONE) return SequenceResult::done;
    return code == SQLITE_FULL ? SequenceResult::disk_full : SequenceResult::dead;
}

std::uint64_t FileEngine::random(std::uint64_t index) {
    static constexpr sim::Purpose sql_random{"file.random"};
    sim::World& world = node_.world();
    const auto now = static_cast<std::uint64_t>(world.now().time_since_epoch().count());
    return world.random().draw(sql_random, node_.id(), now, statement_, index).bits();
}

WallTime FileEngine::wall_now() {
    return node_.wall_clock().read(node_.world().now());
}

} // namespace crier::broker
