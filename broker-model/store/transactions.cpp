#include "broker-model/store/transactions.hpp"

#include "messaging/ports/ensure.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <cstring>

namespace crier::broker {

namespace {

SqlAnswer failed(StoreError error) {
    SqlAnswer answer;
    answer.error = error;
    return answer;
}

/// Whether both have the same schema. **Source**: SQLite database file format, section 1.3.9.
bool same_schema(const PageImage& a, const PageImage& b) {
    constexpr std::size_t schema_cookie = 40;
    return std::memcmp(a.page(0) + schema_cookie, b.page(0) + schema_cookie, 4) == 0;
}

std::size_t index_of(const std::vector<ChangedRow>& rows, const RowPlace& place) {
    const auto found = std::find_if(rows.begin(), rows.end(),
                                    [&place](const ChangedRow& row) { return row.place == place; });
    return static_cast<std::size_t>(found - rows.begin());
}

bool has_new(const std::vector<ChangedRow>& rows, const RowPlace& place) {
    const std::size_t at = index_of(rows, place);
    return at < rows.size() && rows[at].is_new;
}

/// The statement is to see this row as it is now. **Returns** whether it does not yet.
bool show_newer(RunningStatement& statement, const RowPlace& row, bool is_gone) {
    std::vector<ChangedRow>& rows = is_gone ? statement.gone : statement.newer;
    if (index_of(rows, row) < rows.size()) return false;
    rows.push_back({row});
    return true;
}

/// Returns the rows that a statement has written which waits for a key now.
std::vector<ChangedRow> pending_rows(const OpenTransaction& transaction) {
    if (!transaction.statement || transaction.statement->ticket == 0) return {};
    return transaction.statement->wants_key ? transaction.statement->written
                                            : std::vector<ChangedRow>();
}

/// Rows that were waited for stay where they were found first: they are sorted before they are
/// locked. **Source**: PostgreSQL manual, SELECT, "The Locking Clause".
void keep_order(RunningStatement& statement, Rows& rows, std::vector<std::int64_t>& found) {
    if (statement.order.empty()) {
        statement.order = found;
        return;
    }
    std::vector<std::pair<std::size_t, std::size_t>> places; // where it was, where it is
    for (std::size_t at = 0; at < found.size(); ++at) {
        const auto first = std::find(statement.order.begin(), statement.order.end(), found[at]);
        places.emplace_back(static_cast<std::size_t>(first - statement.order.begin()), at);
    }
    std::sort(places.begin(), places.end());
    Rows sorted;
    std::vector<std::int64_t> ids;
    for (const auto& [was, is] : places) {
        sorted.push_back(std::move(rows[is]));
        ids.push_back(found[is]);
    }
    rows = std::move(sorted);
    found = std::move(ids);
}

} // namespace

/// A connection with the image of one transaction.
struct OpenTransaction::Slot {
    Slot(const PageImage& image, SqlSources* sources, const std::vector<RowWatch>& watches,
         sim::World& world)
        : engine(image, sources), capture(engine.connection(), watches, &world) {}

    SqlEngine engine;
    ChangeCapture capture;
};

Transactions::Transactions(sim::Node& node, DiskAccess& access, const DatabaseOptions& options,
                           CommitLedger& ledger)
    : node_(node), process_(node.process()), access_(access), options_(options), ledger_(ledger),
      sources_(access, &node), committed_(ledger.log().written().image),
      commit_(ledger.log().written().number) {
    Slot& slot = borrow_slot();
    shapes_ = slot.engine.shapes();
    free_slots_.push_back(&slot);
}

Transactions::~Transactions() = default;

OpenTransaction& Transactions::open(SessionId id, std::uint32_t client) {
    if (unused_.empty()) {
        pool_.push_back(std::make_unique<OpenTransaction>());
        unused_.push_back(pool_.back().get());
    }
    OpenTransaction& transaction = *unused_.back();
    unused_.pop_back();
    transaction.id = id;
    transaction.client = client;
    transaction.slot = &borrow_slot();
    open_.push_back(&transaction);
    return transaction;
}

Transactions::Slot& Transactions::borrow_slot() {
    if (free_slots_.empty()) {
        slots_.push_back(std::make_unique<Slot>(committed_, this, options_.watches, node_.world()));
        free_slots_.push_back(slots_.back().get());
    }
    Slot& slot = *free_slots_.back();
    free_slots_.pop_back();
    return slot;
}

/// A connection remembers a table that is not there any more, as far as its statements go.
void Transactions::renew_slot(OpenTransaction& transaction) {
    std::erase_if(slots_, [&transaction](const std::unique_ptr<Slot>& slot) {
        return slot.get() == transaction.slot;
    });
    transaction.slot = &borrow_slot();
    transaction.slot->capture.set_shapes(shapes_);
}

OpenTransaction* Transactions::find(SessionId id) const {
    const auto found =
        std::find_if(open_.begin(), open_.end(),
                     [id](const OpenTransaction* transaction) { return transaction->id == id; });
    return found == open_.end() ? nullptr : *found;
}

std::optional<SqlAnswer> Transactions::run(OpenTransaction& transaction) {
    RunningStatement& statement = *transaction.statement;
    if (!statement.began && wait_for_schema(transaction)) return std::nullopt;
    if (!transaction.has_snapshot) transaction.slot->engine.show(committed_);
    const StatementText* const text = transaction.slot->engine.text_of(statement.sql);
    if (text == nullptr) return failed(StoreError::statement_error);
    if (text->setting != StatementText::Setting::none) return apply(transaction, *text);
    if (!statement.began) {
        take_snapshot(transaction);
        statement.newer.clear();
        statement.gone.clear();
        statement.order.clear();
        statement.since.clear();
        statement.rechecks.clear();
        statement.was_overtaken = false;
        statement.is_key_taken = false;
        statement.began = true;
    }
    if (std::optional<SqlAnswer> at_once = met(transaction, *text)) return at_once;
    const LockKey wanted = statement.wants.key;
    std::optional<SqlAnswer> answer;
    do {
        answer = attempt(transaction, *text);
    } while (!answer && statement.waits_for.empty() && statement.queues_behind.empty());
    if (answer || statement.wants.key != wanted) leave_queue(transaction);
    return answer;
}

/// Returns what comes of the statement for what it waited for, if that is certain already.
std::optional<SqlAnswer> Transactions::met(OpenTransaction& transaction,
                                           const StatementText& text) const {
    RunningStatement& statement = *transaction.statement;
    if (!std::exchange(statement.was_overtaken, false)) return std::nullopt;
    const bool is_taken = std::exchange(statement.is_key_taken, false);
    if ((statement.wants.is_row || is_taken) && is_overtaken(transaction, text, statement.wants))
        return failed(StoreError::serialization_failure);
    // **Source**: PostgreSQL EvalPlanQual locks the row before it looks whether it still wants it.
    if (statement.wants.is_row && !statement.wants_key && statement.wants.row == statement.wants.by)
        statement.rechecks.push_back(statement.wants);
    if (!is_taken || !text.on_conflict) return std::nullopt;
    // It has looked at the keys before this one, and does not come back to them.
    if (!is_arbiter(text, statement.wants)) return failed(StoreError::unique_violation);
    if (text.does_nothing) return SqlAnswer();
    return std::nullopt;
}

// **Source**: PostgreSQL manual, SET TRANSACTION: before the first query.
SqlAnswer Transactions::apply(OpenTransaction& transaction, const StatementText& text) {
    using Setting = StatementText::Setting;
    switch (text.setting) {
    case Setting::read_committed:
    case Setting::repeatable_read:
        if (transaction.has_snapshot) return failed(StoreError::statement_error);
        transaction.isolation = text.setting == Setting::read_committed
                                    ? Isolation::read_committed
                                    : Isolation::repeatable_read;
        break;
    case Setting::lock_timeout: transaction.lock_timeout = text.value; break;
    case Setting::statement_timeout: transaction.statement_timeout = text.value; break;
    case Setting::none: break;
    }
    return {};
}

// Whoever changes the schema has it for itself. PostgreSQL locks one table only, which a schema
// that is made at the start cannot tell from this.
bool Transactions::wait_for_schema(OpenTransaction& transaction) {
    const auto owner = std::find_if(open_.begin(), open_.end(), [&](const OpenTransaction* other) {
        return other != &transaction && other->former_shapes != nullptr;
    });
    if (owner == open_.end()) return false;
    wait(transaction, {}, {(*owner)->id});
    return true;
}

void Transactions::take_snapshot(OpenTransaction& transaction) {
    Slot& slot = *transaction.slot;
    slot.capture.set_shapes(shapes_);
    const bool keeps = transaction.isolation == Isolation::repeatable_read;
    if (!transaction.has_snapshot) {
        transaction.has_snapshot = true;
        if (keeps) transaction.seen_running = running();
    } else if (keeps || (transaction.base_commit == commit_ && !transaction.is_mixed)) {
        return;
    } else {
        slot.engine.show(rebased(transaction, committed_));
        transaction.is_mixed = false;
    }
    transaction.base = committed_;
    transaction.base_commit = commit_;
}

/// Returns `onto` with the transaction's own rows.
PageImage Transactions::rebased(OpenTransaction& transaction, PageImage onto) {
    mover_.move(shapes_, transaction.slot->engine.image(), onto, transaction.changes.rows);
    return onto;
}

SqlAnswer Transactions::execute(OpenTransaction& transaction, Show show,
                                std::vector<std::int64_t>& found) {
    const RunningStatement& statement = *transaction.statement;
    sources_.set_subject(transaction.client, statement.arrived);
    step_.clear();
    drawn_ = 0;
    transaction.notifications.resize(told_);
    subject_ = &transaction;
    Slot& slot = *transaction.slot;
    slot.capture.set_changes(&step_);
    SqlAnswer answer = slot.engine.run(statement.sql, statement.parameters, show, found);
    slot.capture.set_changes(nullptr);
    subject_ = nullptr;
    return answer;
}

// A statement that waited sees all as it saw it first, but the rows that it waited for as they are
// now. **Source**: PostgreSQL executor README, "EvalPlanQual (READ COMMITTED Update Checking)".
std::optional<SqlAnswer> Transactions::attempt(OpenTransaction& transaction,
                                               const StatementText& text) {
    Slot& slot = *transaction.slot;
    RunningStatement& statement = *transaction.statement;
    const PageImage before = slot.engine.image();
    const std::vector<ChangedRow> rows_before = transaction.changes.rows;
    const bool is_up_to_date = statement.newer.empty() && statement.gone.empty();
    const Show show = is_up_to_date || text.latest.empty() ? Show::snapshot : Show::latest;
    if (show == Show::latest) {
        PageImage latest = transaction.base;
        mover_.remove(shapes_, latest, statement.gone);
        mover_.show(shapes_, committed_, latest, statement.newer);
        slot.engine.show_latest(rebased(transaction, std::move(latest)));
    }
    told_ = transaction.notifications.size();
    statement.written.clear();
    std::vector<std::int64_t> found;
    SqlAnswer answer = execute(transaction, show, found);
    if (text.locking) keep_order(statement, answer.rows, found);
    std::optional<SqlAnswer> result = settle(transaction, text, std::move(answer), show, found);
    if (!result && !statement.waits_for.empty() && statement.wants == LockRequest{} &&
        statement.began) {
        statement.began = false; // the schema: from the start
    }
    if (!result || !result->is_ok()) {
        if (!same_schema(slot.engine.image(), before)) renew_slot(transaction);
        transaction.slot->engine.show(before);
        transaction.changes.rows = rows_before;
        transaction.notifications.resize(told_);
        return result;
    }
    if (show == Show::latest) {
        slot.engine.show(slot.engine.latest());
        transaction.is_mixed = true;
    }
    keep(transaction);
    if (show == Show::latest && transaction.isolation == Isolation::repeatable_read) {
        PageImage own = transaction.base; // what else was newer goes again
        mover_.show(shapes_, slot.engine.image(), own, transaction.changes.rows);
        slot.engine.show(std::move(own));
    }
    return result;
}

/// Locks what the statement has changed and found. **Returns** nothing if it has to wait.
std::optional<SqlAnswer> Transactions::settle(OpenTransaction& transaction,
                                              const StatementText& text, SqlAnswer answer,
                                              Show show, const std::vector<std::int64_t>& found) {
    const Slot& slot = *transaction.slot;
    if (answer.is_ok() && !same_schema(slot.engine.image(), transaction.base) &&
        transaction.former_shapes == nullptr)
        return settle_schema(transaction, std::move(answer));
    found_.clear();
    if (answer.is_ok()) add_locks(transaction, text, show, found);
    // It looks at the keys on which it has something to say before it takes any.
    // **Source**: PostgreSQL ExecCheckIndexConstraints.
    for (const LockRequest& request : step_.locks) {
        if (request.is_row || !is_arbiter(text, request)) continue;
        const Locked free = look_at(transaction, text, request);
        if (free == Locked::not_yet) return std::nullopt;
        if (free != Locked::all) return failed(StoreError::serialization_failure);
    }
    // Also what it did before an error: it would have waited there.
    for (const LockRequest& request : transaction.statement->rechecks) {
        const bool is_gone =
            index_of(transaction.statement->gone, request.row) < transaction.statement->gone.size();
        if (!is_gone && mover_.has(shapes_, committed_, request.row)) found_.push_back(request);
    }
    Locked locked = lock(transaction, text, step_.locks);
    if (locked == Locked::all) locked = lock(transaction, text, found_);
    const bool did_nothing = answer.is_ok() && text.on_conflict && step_.rows.empty();
    if (locked == Locked::all) locked = lock_unseen(transaction, text, show, answer);
    if (did_nothing) step_.clear();
    if (locked == Locked::all && did_nothing && !transaction.statement->newer.empty() &&
        transaction.isolation == Isolation::repeatable_read)
        locked = Locked::overtaken; // it met what its snapshot does not have
    switch (locked) {
    case Locked::all: return answer;
    case Locked::not_yet: return std::nullopt;
    case Locked::refused: return failed(StoreError::lock_timeout);
    case Locked::overtaken: return failed(StoreError::serialization_failure);
    }
    return answer;
}

/// Takes the locks one after the other. What it got it keeps, also if it has to wait for the next.
Transactions::Locked Transactions::lock(OpenTransaction& transaction, const StatementText& text,
                                        const std::vector<LockRequest>& requests) {
    for (const LockRequest& request : requests) {
        if (request.is_row &&
            (has_new(transaction.changes.rows, request.row) || has_new(step_.rows, request.row)))
            continue;
        const Locked locked = look_at(transaction, text, request);
        if (locked != Locked::all) return locked;
        locks_.acquire(transaction.id, request.key, request.mode, transaction.held);
        if (request.is_row && request.row == request.by)
            transaction.statement->written.push_back({request.row});
    }
    return Locked::all;
}

/// Looks whether the lock can be had, and takes nothing.
Transactions::Locked Transactions::look_at(OpenTransaction& transaction, const StatementText& text,
                                           const LockRequest& request) {
    const auto version = versions_.find(request.key);
    const bool has_changed = version != versions_.end() &&
                             version->second.commit > transaction.base_commit &&
                             conflict(version->second.mode, request.mode);
    if (has_changed && request.is_row && is_overtaken(transaction, text, request))
        return Locked::overtaken;
    LockTable::Sessions holders = locks_.holders_against(transaction.id, request.key, request.mode);
    const bool is_in_queue =
        transaction.statement->ticket != 0 && transaction.statement->wants.key == request.key;
    LockTable::Sessions before;
    if (!holders.empty() || is_in_queue) before = before_in_queue(transaction, request);
    if (!holders.empty() || !before.empty()) {
        if (text.locking && text.locking->others == LockedRow::fail) return Locked::refused;
        wait(transaction, request, std::move(holders));
        transaction.statement->queues_behind = std::move(before);
        return Locked::not_yet;
    }
    if (!has_changed) return Locked::all;
    if (is_overtaken(transaction, text, request) && version->second.takes &&
        mover_.has(shapes_, committed_, version->second.row))
        return Locked::overtaken;
    const bool is_news =
        show_newer(*transaction.statement, version->second.row, version->second.is_gone);
    return is_news ? Locked::not_yet : Locked::all;
}

/// Returns the others that have waited longer for the row, in a way that keeps this one from it:
/// who wants a row queues up. **Source**: PostgreSQL README.tuplock, heap_acquire_tuplock.
LockTable::Sessions Transactions::before_in_queue(const OpenTransaction& transaction,
                                                  const LockRequest& request) const {
    LockTable::Sessions before;
    if (!request.is_row || locks_.mode_of(transaction.id, request.key)) return before;
    const RunningStatement& own = *transaction.statement;
    const std::uint64_t place = own.wants.key == request.key ? own.ticket : 0;
    for (const OpenTransaction* const other : open_) {
        if (other == &transaction || !other->statement) continue;
        const RunningStatement& waiting = *other->statement;
        if (waiting.ticket != 0 && waiting.wants.is_row && waiting.wants.key == request.key &&
            (place == 0 || waiting.ticket < place) && conflict(waiting.wants.mode, request.mode))
            before.push_back(other->id);
    }
    return before;
}

/// It does not want the row any more, or has it: who stood behind it may go on.
void Transactions::leave_queue(const OpenTransaction& transaction) {
    for (OpenTransaction* const other : open_) {
        if (!other->statement) continue;
        RunningStatement& waiting = *other->statement;
        const auto behind =
            std::find(waiting.queues_behind.begin(), waiting.queues_behind.end(), transaction.id);
        if (behind == waiting.queues_behind.end()) continue;
        waiting.queues_behind.erase(behind);
        if (waiting.queues_behind.empty() && waiting.waits_for.empty()) ready_.push_back(other);
    }
}

/// Locks what the statement did not come to, since a key was in its way before.
Transactions::Locked Transactions::lock_unseen(OpenTransaction& transaction,
                                               const StatementText& text, Show show,
                                               SqlAnswer& answer) {
    const bool refers = answer.error == StoreError::foreign_key_violation;
    const bool passed_over = answer.is_ok() && text.on_conflict && step_.rows.empty() &&
                             others_hold_something(transaction);
    if (answer.error != StoreError::unique_violation && !refers && !passed_over) return Locked::all;
    // Keys that were freed meanwhile are free. **Source**: PostgreSQL SnapshotDirty.
    if (answer.error == StoreError::unique_violation) {
        bool is_news = false;
        for (const ChangedRow& row : transaction.statement->since)
            is_news = show_newer(*transaction.statement, row.place, row.is_replaced) || is_news;
        if (is_news) return Locked::not_yet;
    }
    SqlEngine& engine = transaction.slot->engine;
    const PageImage snapshot = engine.image();
    const PageImage latest = engine.latest();
    if (show == Show::latest) engine.show(latest);
    Locked locked = Locked::all;
    if (refers && !step_.locks.empty()) { // it is a parent of rows that are there
        if (waits_for_a_row(transaction, StoreError::foreign_key_violation))
            locked = Locked::not_yet;
    } else if (text.inserts) {
        locked = look_at_proposed(transaction, text, answer);
    } else {
        locked = lock_targets(transaction, text);
    }
    engine.show(snapshot);
    engine.show_latest(latest);
    return locked;
}

bool Transactions::others_hold_something(const OpenTransaction& transaction) const {
    return std::any_of(open_.begin(), open_.end(), [&](const OpenTransaction* other) {
        return other != &transaction && !other->held.empty();
    });
}

/// A unique key was in the way before an update came to its locks. PostgreSQL has the rows first.
/// **Source**: PostgreSQL ExecUpdate.
Transactions::Locked Transactions::lock_targets(OpenTransaction& transaction,
                                                const StatementText& text) {
    if (text.targets.empty()) return Locked::all;
    std::vector<LockRequest> requests;
    const std::uint32_t table = shapes_->find(text.table);
    for (const std::int64_t id :
         transaction.slot->engine.row_ids(text.targets, transaction.statement->parameters)) {
        const RowPlace row{table, id};
        requests.push_back({row_key(table, id), LockMode::update, true, row, 0, false, row});
    }
    step_.clear();
    const Locked locked = lock(transaction, text, requests);
    if (locked != Locked::all) return locked;
    const bool waits = waits_for_a_row(transaction, StoreError::unique_violation);
    return waits ? Locked::not_yet : Locked::all;
}

/// A unique key was in the way of an insert. PostgreSQL looks at the keys one after the other,
/// first at those on which the insert has something to say, and waits for whoever has one that is
/// not committed, or has changed the row that has it. To know the keys, the insert is tried on an
/// empty table. **Source**: PostgreSQL ExecInsert, _bt_check_unique.
Transactions::Locked Transactions::look_at_proposed(OpenTransaction& transaction,
                                                    const StatementText& text, SqlAnswer& answer) {
    SqlEngine& engine = transaction.slot->engine;
    PageImage empty = engine.image();
    mover_.clear(shapes_, empty, shapes_->find(text.table));
    engine.show_latest(std::move(empty));
    std::vector<std::int64_t> found;
    const bool obeys = shapes_->tables[shapes_->find(text.table)].references.empty();
    if (!obeys) engine.obey_foreign_keys(false);
    const bool is_proposed = execute(transaction, Show::latest, found).is_ok();
    if (!obeys) engine.obey_foreign_keys(true);
    if (!is_proposed) return Locked::all;
    std::vector<LockRequest> keys;
    std::copy_if(step_.locks.begin(), step_.locks.end(), std::back_inserter(keys),
                 [](const LockRequest& request) { return !request.is_row; });
    std::stable_partition(keys.begin(), keys.end(),
                          [&](const LockRequest& request) { return is_arbiter(text, request); });
    for (const LockRequest& key : keys) {
        const Locked locked = look_at(transaction, text, key);
        if (locked != Locked::all) return locked;
        const std::string& find_same =
            shapes_->tables[key.by.table].unique_keys[key.unique_key].find_same;
        const std::vector<std::int64_t> same = engine.row_ids(find_same, parameters(key.by.row_id));
        if (same.empty()) continue;
        const RowPlace row{key.by.table, same.front()};
        if (const OpenTransaction* const other = who_changes(transaction, row)) {
            wait_for_row(transaction, row, other->id, true);
            return Locked::not_yet;
        }
        if (!is_arbiter(text, key)) {
            answer = failed(StoreError::unique_violation);
        } else if (text.does_nothing) {
            answer = SqlAnswer();
        }
        return Locked::all;
    }
    return Locked::all;
}

/// Returns the other open transaction that has changed the row, or null.
OpenTransaction* Transactions::who_changes(const OpenTransaction& transaction,
                                           const RowPlace& row) const {
    const auto found = std::find_if(open_.begin(), open_.end(), [&](const OpenTransaction* other) {
        if (other == &transaction || other->is_committed) return false;
        const std::vector<ChangedRow>& rows = other->changes.rows;
        const std::size_t at = index_of(rows, row);
        const std::vector<ChangedRow> pending = pending_rows(*other);
        return index_of(pending, row) < pending.size() || (at < rows.size() && !rows[at].is_new);
    });
    return found == open_.end() ? nullptr : *found;
}

void Transactions::wait_for_row(OpenTransaction& transaction, const RowPlace& row, SessionId holder,
                                bool for_key) {
    wait(transaction, {row_key(row.table, row.row_id), LockMode::update, true, row, 0, false, row},
         {holder});
    transaction.statement->wants_key = for_key;
}

/// Whether the insert says what to do about a conflict on this key.
bool Transactions::is_arbiter(const StatementText& text, const LockRequest& request) const {
    const TableShape& table = shapes_->tables[request.by.table];
    const std::vector<int>& key = table.unique_keys[request.unique_key].columns;
    return text.on_conflict &&
           (text.conflict_columns.empty() || std::all_of(key.begin(), key.end(), [&](int column) {
                const std::string& name = table.all_columns[static_cast<std::size_t>(column)];
                return std::find(text.conflict_columns.begin(), text.conflict_columns.end(),
                                 name) != text.conflict_columns.end();
            }));
}

/// Adds the locks that come of what was found: by a locking clause, and by foreign keys, whose
/// parents are kept. **Source**: PostgreSQL RI_FKey_check: `for key share`.
void Transactions::add_locks(OpenTransaction& transaction, const StatementText& text, Show show,
                             const std::vector<std::int64_t>& found) {
    for (const std::int64_t row_id : found) {
        const RowPlace row{shapes_->find(text.locking->table), row_id};
        found_.push_back(
            {row_key(row.table, row_id), text.locking->mode, true, row, 0, false, row});
    }
    if (text.inner_locking) {
        const std::uint32_t table = shapes_->find(text.inner_locking->table);
        for (LockRequest& request : step_.locks) {
            if (request.is_row && request.row.table == table)
                request.mode = std::max(request.mode, text.inner_locking->mode);
        }
    }
    // What it has written before it checks again. **Source**: RI_FKey_fk_upd_check_required.
    for (const ChangedRow& row : step_.rows) {
        const std::size_t count = shapes_->tables[row.place.table].references.size();
        if (index_of(transaction.changes.rows, row.place) == transaction.changes.rows.size())
            continue;
        for (std::size_t at = 0; at < count; ++at)
            step_.referring.push_back({row.place, at});
    }
    for (const ReferringRow& child : step_.referring) {
        const TableShape::Reference& reference =
            shapes_->tables[child.place.table].references[child.reference];
        const std::string& query =
            show == Show::latest ? reference.find_latest_parent : reference.find_parent;
        std::vector<std::int64_t> none;
        const SqlAnswer parent = transaction.slot->engine.run(query, parameters(child.place.row_id),
                                                              Show::snapshot, none);
        if (!parent.is_ok() || parent.rows.empty()) continue;
        const RowPlace row{reference.table, std::get<std::int64_t>(parent.rows.front().front())};
        found_.push_back({row_key(row.table, row.row_id), LockMode::key_share, true, row, 0, false,
                          child.place});
    }
}

/// Whether a transaction cannot go on since its snapshot is too old for what another has committed.
/// A key alone is looked at as it is now, also by an old snapshot. **Source**: PostgreSQL manual
/// 13.2.2; _bt_check_unique, ExecOnConflictNothing.
bool Transactions::is_overtaken(const OpenTransaction& transaction, const StatementText& text,
                                const LockRequest& request) const {
    return transaction.isolation == Isolation::repeatable_read &&
           (request.is_row ? !transaction.statement->wants_key : is_arbiter(text, request));
}

/// Whether what is in the way is a row that another open transaction has changed; then it waits for
/// that one. To find out, the statement is tried without those rows. **Source**: PostgreSQL
/// _bt_check_unique; RI_FKey_noaction_del: `for key share` on the children.
bool Transactions::waits_for_a_row(OpenTransaction& transaction, StoreError error) {
    const PageImage before = transaction.slot->engine.image();
    PageImage without = before;
    for (const OpenTransaction* const other : open_) {
        if (other == &transaction || other->is_committed) continue;
        std::vector<ChangedRow> rows = pending_rows(*other);
        rows.insert(rows.end(), other->changes.rows.begin(), other->changes.rows.end());
        for (const ChangedRow& row : rows) {
            if (row.is_new) continue;
            const LockKey key = row_key(row.place.table, row.place.row_id);
            if (error == StoreError::foreign_key_violation &&
                locks_.holders_against(transaction.id, key, LockMode::key_share).empty())
                continue;
            mover_.remove(shapes_, without, std::span(&row, 1));
            transaction.slot->engine.show(without);
            std::vector<std::int64_t> found;
            const SqlAnswer answer = execute(transaction, Show::snapshot, found);
            transaction.slot->engine.show(before);
            if (answer.error == error) continue;
            wait_for_row(transaction, row.place, other->id, error == StoreError::unique_violation);
            return true;
        }
    }
    return false;
}

/// The statement has changed the schema, which nobody else may be using.
std::optional<SqlAnswer> Transactions::settle_schema(OpenTransaction& transaction,
                                                     SqlAnswer answer) {
    LockTable::Sessions others;
    for (const OpenTransaction* const other : open_) {
        if (other != &transaction && other->has_snapshot) others.push_back(other->id);
    }
    if (!others.empty()) {
        wait(transaction, {}, std::move(others));
        return std::nullopt;
    }
    std::shared_ptr<const TableShapes> shapes = transaction.slot->engine.shapes();
    if (!shapes->problem.empty()) return failed(StoreError::statement_error);
    transaction.former_shapes = std::exchange(shapes_, std::move(shapes));
    transaction.slot->capture.set_shapes(shapes_);
    return answer;
}

void Transactions::wait(OpenTransaction& transaction, const LockRequest& wants,
                        LockTable::Sessions holders) {
    RunningStatement& statement = *transaction.statement;
    if (statement.ticket == 0 || statement.wants.key != wants.key) statement.ticket = ++tickets_;
    statement.wants = wants;
    statement.wants_key = !wants.is_row;
    for (const SessionId holder : holders)
        find(holder)->waiters.push_back(&transaction);
    statement.waits_for = std::move(holders);
}

void Transactions::stop_waiting(OpenTransaction& transaction) {
    for (const SessionId holder : transaction.statement->waits_for)
        std::erase(find(holder)->waiters, &transaction);
    transaction.statement->waits_for.clear();
    transaction.statement->queues_behind.clear();
}

/// The statement is done: its changes are the transaction's.
void Transactions::keep(OpenTransaction& transaction) {
    Changes& changes = transaction.changes;
    for (const ChangedRow& row : step_.rows)
        note(changes.rows, row);
    for (const LockRequest& request : step_.locks) {
        const std::size_t row = index_of(changes.rows, request.by);
        if (!request.is_row || !changes.rows[row].is_new) {
            const LockMode mode =
                locks_.mode_of(transaction.id, request.key).value_or(request.mode);
            transaction.written.push_back({request.key, row, mode, request.takes});
        }
    }
    for (const LockRequest& request : found_) {
        if (request.row != request.by)
            transaction.referring.push_back(
                {request.key, index_of(changes.rows, request.by), request.mode, false});
    }
    changes.watched.insert(changes.watched.end(), step_.watched.begin(), step_.watched.end());
    if (transaction.number == 0 && !changes.rows.empty()) transaction.number = next_number_++;
}

StoreError Transactions::commit(OpenTransaction& transaction) {
    const bool wrote = !transaction.changes.rows.empty() || transaction.former_shapes != nullptr;
    if (wrote) {
        const bool is_newest = transaction.base_commit == commit_ && !transaction.is_mixed;
        Commit made;
        made.number = ledger_.commit_count() + 1;
        made.client = transaction.client;
        made.image =
            is_newest ? transaction.slot->engine.image() : rebased(transaction, committed_);
        made.rows = rows_brought(transaction.changes.watched);
        CommitLog& log = ledger_.log();
        IoResult done = log.write(access_, std::move(made));
        if (done == IoResult::done && options_.synchronous == Synchronous::full)
            done = log.sync(access_);
        if (done == IoResult::full) return StoreError::disk_full;
        if (!process_.is_alive()) return StoreError::connection_lost; // the next life looks
        ledger_.committed(process_, log.written());
        committed_ = log.written().image;
        commit_ = log.written().number;
        transaction.committed_as = commit_;
        if (open_.size() > 1) note_versions(transaction);
        show_relatives(transaction);
    }
    transaction.is_committed = true;
    for (Notification& each : transaction.notifications) {
        if (std::find(notifications_.begin(), notifications_.end(), each) == notifications_.end())
            notifications_.push_back(std::move(each));
    }
    return {};
}

std::vector<Notification> Transactions::take_notifications() {
    return std::exchange(notifications_, {});
}

void Transactions::end(OpenTransaction& transaction) {
    if (transaction.statement) stop_waiting(transaction);
    std::erase(ready_, &transaction);
    tell_waiters(transaction);
    leave_queue(transaction);
    locks_.release(transaction.id, transaction.held);
    if (transaction.former_shapes != nullptr && !transaction.is_committed) {
        shapes_ = std::move(transaction.former_shapes);
        renew_slot(transaction);
    }
    free_slots_.push_back(transaction.slot);
    std::erase(open_, &transaction);
    if (open_.empty()) versions_.clear();
    Changes changes = std::move(transaction.changes); // with the room that it has
    std::vector<LockKey> held = std::move(transaction.held);
    std::vector<OpenTransaction::KeyOwner> written = std::move(transaction.written);
    changes.clear();
    held.clear();
    written.clear();
    transaction = OpenTransaction{};
    transaction.changes = std::move(changes);
    transaction.held = std::move(held);
    transaction.written = std::move(written);
    unused_.push_back(&transaction);
}

// They wake up together, and run in whatever order their machine has them.
OpenTransaction* Transactions::take_ready() {
    static constexpr sim::Purpose wake{"store.wake"};
    if (ready_.empty()) return nullptr;
    std::size_t at = 0;
    if (ready_.size() > 1) {
        const sim::Draw draw = node_.world().random().draw(wake, node_.id(), ++wakes_);
        at = static_cast<std::size_t>(draw.below(ready_.size()));
    }
    OpenTransaction* const next = ready_[at];
    ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(at));
    return next;
}

/// Foreign keys are checked on what is committed by then, whatever a statement that waits has seen.
/// **Source**: PostgreSQL RI_FKey_check, GetLatestSnapshot.
void Transactions::show_relatives(const OpenTransaction& transaction) {
    const auto refers = [this](std::uint32_t from, std::uint32_t to) {
        const std::vector<TableShape::Reference>& references = shapes_->tables[from].references;
        return std::any_of(
            references.begin(), references.end(),
            [to](const TableShape::Reference& reference) { return reference.table == to; });
    };
    for (OpenTransaction* const other : open_) {
        if (other == &transaction || !other->statement || other->statement->ticket == 0) continue;
        const LockRequest& wants = other->statement->wants;
        if (wants == LockRequest{}) continue;
        for (const ChangedRow& row : transaction.changes.rows) {
            if (row.place.table == wants.by.table) other->statement->since.push_back(row);
            if (refers(row.place.table, wants.by.table) || refers(wants.by.table, row.place.table))
                (void)show_newer(*other->statement, row.place, false);
        }
    }
}

/// Whether what the key locks is a row that was removed while another took its place.
bool Transactions::is_gone(const OpenTransaction& transaction, const LockKey& key,
                           std::size_t row) {
    const ChangedRow& changed = transaction.changes.rows[row];
    return changed.is_replaced && key == row_key(changed.place.table, changed.place.row_id);
}

/// What others may still have to look at: most of it nobody will, so it is thrown out from time to
/// time.
void Transactions::note_versions(const OpenTransaction& transaction) {
    constexpr std::size_t versions_max = 10'000;
    if (versions_.size() > versions_max) {
        std::uint64_t oldest = commit_;
        for (const OpenTransaction* const other : open_) {
            if (other->has_snapshot) oldest = std::min(oldest, other->base_commit);
        }
        boost::unordered::erase_if(
            versions_, [oldest](const auto& entry) { return entry.second.commit <= oldest; });
    }
    for (const auto& [key, row, mode, takes] : transaction.written) {
        Version& version = versions_[key];
        const bool is_same = version.commit == commit_; // changed before in the same transaction
        version = {commit_, transaction.changes.rows[row].place, is_gone(transaction, key, row),
                   is_same ? std::max(version.mode, mode) : mode, takes};
    }
}

void Transactions::tell_waiters(const OpenTransaction& transaction) {
    for (OpenTransaction* const waiter : transaction.waiters) {
        RunningStatement& statement = *waiter->statement;
        statement.waits_for.erase(
            std::find(statement.waits_for.begin(), statement.waits_for.end(), transaction.id));
        if (transaction.committed_as > waiter->base_commit && statement.wants != LockRequest{}) {
            const std::vector<ChangedRow>& rows = transaction.changes.rows;
            for (const auto& [key, row, mode, takes] : transaction.written) {
                const LockRequest& wants = statement.wants;
                if (key != wants.key || !conflict(mode, wants.mode)) continue;
                (void)show_newer(statement, rows[row].place, is_gone(transaction, key, row));
                statement.was_overtaken = true;
                statement.is_key_taken = takes && mover_.has(shapes_, committed_, rows[row].place);
            }
            for (const auto& [key, row, mode, takes] : transaction.referring) {
                if (key == statement.wants.key) (void)show_newer(statement, rows[row].place, false);
            }
        }
        if (statement.waits_for.empty() && statement.queues_behind.empty())
            ready_.push_back(waiter);
    }
}

bool Transactions::is_deadlocked(const OpenTransaction& transaction) const {
    std::vector<SessionId> seen;
    std::vector<SessionId> next;
    const auto follow = [&next](const RunningStatement& statement) {
        next.insert(next.end(), statement.waits_for.begin(), statement.waits_for.end());
        next.insert(next.end(), statement.queues_behind.begin(), statement.queues_behind.end());
    };
    follow(*transaction.statement);
    while (!next.empty()) {
        const SessionId id = next.back();
        next.pop_back();
        if (id == transaction.id) return true;
        if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
        seen.push_back(id);
        const OpenTransaction* const other = find(id);
        if (other != nullptr && other->statement) follow(*other->statement);
    }
    return false;
}

std::uint64_t Transactions::random(std::uint64_t index) {
    return sources_.random(index);
}

// A statement that is run again draws no new numbers: PostgreSQL would not have come back so far.
SequenceResult Transactions::next_value(std::string_view sequence, std::int64_t& value) {
    std::vector<std::int64_t>& drawn = subject_->statement->sequence_values;
    if (drawn_ == drawn.size()) {
        std::int64_t next = 0;
        const SequenceResult result = sources_.next_value(sequence, next);
        if (result != SequenceResult::done) return result;
        drawn.push_back(next);
    }
    value = drawn[drawn_++];
    return SequenceResult::done;
}

std::uint64_t Transactions::transaction_id() {
    if (subject_->number == 0) subject_->number = next_number_++;
    return subject_->number;
}

TransactionsRunning Transactions::running() {
    if (subject_ != nullptr && subject_->seen_running) return *subject_->seen_running;
    TransactionsRunning running;
    running.next = next_number_;
    running.lowest = next_number_;
    for (const OpenTransaction* const transaction : open_) {
        if (transaction->number == 0) continue;
        running.lowest = std::min(running.lowest, transaction->number);
        if (transaction != subject_) running.numbers.push_back(transaction->number);
    }
    std::sort(running.numbers.begin(), running.numbers.end());
    return running;
}

void Transactions::notify(std::string_view channel, std::string_view payload) {
    subject_->notifications.push_back({std::string(channel), std::string(payload)});
}

bool Transactions::is_unlocked(LockMode mode, std::string_view table, std::int64_t row_id) {
    const std::uint32_t index = shapes_->find(table);
    // What has changed since an old snapshot is found out about in any case.
    const auto version = versions_.find(row_key(index, row_id));
    if (subject_->isolation == Isolation::repeatable_read && version != versions_.end() &&
        version->second.commit > subject_->base_commit)
        return true;
    return locks_.holders_against(subject_->id, row_key(index, row_id), mode).empty();
}

} // namespace crier::broker
