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

std::size_t index_of(const std::vector<ChangedRow>& rows, std::uint32_t table,
                     std::int64_t row_id) {
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const ChangedRow& row) {
        return row.table == table && row.row_id == row_id;
    });
    return static_cast<std::size_t>(found - rows.begin());
}

bool has_new(const std::vector<ChangedRow>& rows, const LockRequest& request) {
    const std::size_t at = index_of(rows, request.table, request.row_id);
    return at < rows.size() && rows[at].is_new;
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
        statement.was_overtaken = false;
        statement.began = true;
    }
    if (statement.was_overtaken && transaction.isolation == Isolation::repeatable_read)
        return failed(overtaken(*text, statement.wants));
    return attempt(transaction, *text);
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
        if (keeps) {
            transaction.seen_running = running();
            ++old_snapshots_;
        }
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
    const Show show =
        statement.newer.empty() || text.latest.empty() ? Show::snapshot : Show::latest;
    if (show == Show::latest) {
        PageImage latest = transaction.base;
        mover_.move(shapes_, committed_, latest, statement.newer);
        slot.engine.show_latest(rebased(transaction, std::move(latest)));
    }
    told_ = transaction.notifications.size();
    std::vector<std::int64_t> found;
    SqlAnswer answer = execute(transaction, show, found);
    std::optional<SqlAnswer> result = settle(transaction, text, std::move(answer), found);
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
    return result;
}

/// Locks what the statement has changed and found. **Returns** nothing if it has to wait.
std::optional<SqlAnswer> Transactions::settle(OpenTransaction& transaction,
                                              const StatementText& text, SqlAnswer answer,
                                              const std::vector<std::int64_t>& found) {
    const Slot& slot = *transaction.slot;
    if (answer.error == StoreError::unique_violation) {
        if (waits_for_a_key(transaction, slot.engine.image())) return std::nullopt;
        return answer;
    }
    if (!answer.is_ok()) return answer;
    if (!same_schema(slot.engine.image(), transaction.base) && transaction.former_shapes == nullptr)
        return settle_schema(transaction, std::move(answer));
    for (const std::int64_t row_id : found) {
        const std::uint32_t table = shapes_->find(text.locking->table);
        step_.locks.push_back({row_key(table, row_id), text.locking->mode, table, row_id, true});
    }
    const bool is_old = transaction.isolation == Isolation::repeatable_read;
    for (const LockRequest& request : step_.locks) {
        if (request.found &&
            (has_new(transaction.changes.rows, request) || has_new(step_.rows, request)))
            continue;
        LockTable::Sessions holders =
            locks_.holders_against(transaction.id, request.key, request.mode);
        if (!holders.empty()) {
            if (text.locking && text.locking->others == LockedRow::fail)
                return failed(StoreError::lock_timeout);
            wait(transaction, request, std::move(holders));
            return std::nullopt;
        }
        if (is_old) {
            const auto version = versions_.find(request.key);
            if (version != versions_.end() && version->second > transaction.base_commit)
                return failed(overtaken(text, request));
        }
        locks_.acquire(transaction.id, request.key, request.mode, transaction.held);
    }
    return answer;
}

/// Returns the error of a transaction with an old snapshot for what another has committed since.
/// **Source**: PostgreSQL manual 13.2.2; ExecInsert, heap_update.
StoreError Transactions::overtaken(const StatementText& text, const LockRequest& request) const {
    const bool inserts = !request.found && request.mode == LockMode::update;
    return inserts && !text.on_conflict ? StoreError::unique_violation
                                        : StoreError::serialization_failure;
}

/// Whether a unique key is in the way that another open transaction is about to free; then it waits
/// for that one. To find out, the statement is tried without the rows of the others.
bool Transactions::waits_for_a_key(OpenTransaction& transaction, const PageImage& before) {
    std::vector<ChangedRow> rows;
    for (const OpenTransaction* const other : open_) {
        if (other == &transaction) continue;
        std::copy_if(other->changes.rows.begin(), other->changes.rows.end(),
                     std::back_inserter(rows), [](const ChangedRow& row) { return !row.is_new; });
    }
    if (rows.empty()) return false;
    PageImage without = before;
    mover_.remove(shapes_, without, rows);
    Slot& slot = *transaction.slot;
    slot.engine.show(std::move(without));
    std::vector<std::int64_t> found;
    const SqlAnswer answer = execute(transaction, Show::snapshot, found);
    slot.engine.show(before);
    if (!answer.is_ok()) return false;
    for (const LockRequest& request : step_.locks) {
        LockTable::Sessions holders =
            locks_.holders_against(transaction.id, request.key, request.mode);
        if (holders.empty()) continue;
        wait(transaction, request, std::move(holders));
        return true;
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
    statement.wants = wants;
    for (const SessionId holder : holders)
        find(holder)->waiters.push_back(&transaction);
    statement.waits_for = std::move(holders);
}

void Transactions::stop_waiting(OpenTransaction& transaction) {
    for (const SessionId holder : transaction.statement->waits_for)
        std::erase(find(holder)->waiters, &transaction);
    transaction.statement->waits_for.clear();
}

/// The statement is done: its changes are the transaction's.
void Transactions::keep(OpenTransaction& transaction) {
    Changes& changes = transaction.changes;
    for (const ChangedRow& row : step_.rows) {
        if (index_of(changes.rows, row.table, row.row_id) == changes.rows.size())
            changes.rows.push_back(row);
    }
    for (const LockRequest& request : step_.locks) {
        if (request.mode >= LockMode::no_key_update) changes.locks.push_back(request);
        const std::size_t row = index_of(changes.rows, request.table, request.row_id);
        if (!request.found) transaction.owners.push_back({request.key, row});
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
        if (old_snapshots_ > 0) {
            for (const LockRequest& request : transaction.changes.locks)
                versions_[request.key] = commit_;
        }
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

std::vector<OpenTransaction*> Transactions::end(OpenTransaction& transaction) {
    if (transaction.statement) stop_waiting(transaction);
    std::vector<OpenTransaction*> ready = tell_waiters(transaction);
    locks_.release(transaction.id, transaction.held);
    if (transaction.seen_running && --old_snapshots_ == 0) versions_.clear();
    if (transaction.former_shapes != nullptr && !transaction.is_committed) {
        shapes_ = std::move(transaction.former_shapes);
        renew_slot(transaction);
    }
    free_slots_.push_back(transaction.slot);
    std::erase(open_, &transaction);
    Changes changes = std::move(transaction.changes); // with the room that it has
    std::vector<LockKey> held = std::move(transaction.held);
    std::vector<OpenTransaction::KeyOwner> owners = std::move(transaction.owners);
    changes.clear();
    held.clear();
    owners.clear();
    transaction = OpenTransaction{};
    transaction.changes = std::move(changes);
    transaction.held = std::move(held);
    transaction.owners = std::move(owners);
    unused_.push_back(&transaction);
    return ready;
}

std::vector<OpenTransaction*> Transactions::tell_waiters(const OpenTransaction& transaction) {
    std::vector<OpenTransaction*> ready;
    for (OpenTransaction* const waiter : transaction.waiters) {
        RunningStatement& statement = *waiter->statement;
        statement.waits_for.erase(
            std::find(statement.waits_for.begin(), statement.waits_for.end(), transaction.id));
        if (transaction.committed_as > waiter->base_commit && statement.wants != LockRequest{}) {
            statement.was_overtaken = true;
            const LockRequest& wants = statement.wants;
            const auto add = [&statement](std::uint32_t table, std::int64_t row_id) {
                if (index_of(statement.newer, table, row_id) == statement.newer.size())
                    statement.newer.push_back({table, row_id, false});
            };
            if (wants.found) add(wants.table, wants.row_id);
            for (const auto& owner : transaction.owners) {
                const ChangedRow& row = transaction.changes.rows[owner.row];
                if (owner.key == wants.key) add(row.table, row.row_id);
            }
        }
        if (statement.waits_for.empty()) ready.push_back(waiter);
    }
    return ready;
}

bool Transactions::is_deadlocked(const OpenTransaction& transaction) const {
    std::vector<SessionId> seen;
    std::vector<SessionId> next(transaction.statement->waits_for.begin(),
                                transaction.statement->waits_for.end());
    while (!next.empty()) {
        const SessionId id = next.back();
        next.pop_back();
        if (id == transaction.id) return true;
        if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
        seen.push_back(id);
        const OpenTransaction* const other = find(id);
        if (other == nullptr || !other->statement) continue;
        next.insert(next.end(), other->statement->waits_for.begin(),
                    other->statement->waits_for.end());
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
    return locks_.holders_against(subject_->id, row_key(index, row_id), mode).empty();
}

} // namespace crier::broker
