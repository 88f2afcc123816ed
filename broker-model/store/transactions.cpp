#include "broker-model/store/transactions.hpp"

#include "broker-model/store/transaction_parts.hpp"
#include "sim/world.hpp"

// The life of a transaction: its snapshot, its statements, and its end.

namespace crier::broker {

namespace {

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

std::size_t index_of(const std::vector<ChangedRow>& rows, const RowPlace& place) {
    const auto found = std::find_if(rows.begin(), rows.end(),
                                    [&place](const ChangedRow& row) { return row.place == place; });
    return static_cast<std::size_t>(found - rows.begin());
}

bool show_newer(RunningStatement& statement, const RowPlace& row, bool is_gone) {
    std::vector<ChangedRow>& rows = is_gone ? statement.gone : statement.newer;
    if (index_of(rows, row) < rows.size()) return false;
    rows.push_back({row});
    return true;
}

Transactions::Transactions(sim::Node& node, DiskAccess& access, const DatabaseOptions& options,
                           CommitLedger& ledger)
    : node_(node), process_(node.process()), access_(access), options_(options), ledger_(ledger),
      sources_(access, &node),
      connections_(options.connections != nullptr ? options.connections
                                                  : std::make_shared<Connections>()),
      mover_(connections_->take_mover()), committed_(ledger.log().written().image),
      commit_(ledger.log().written().number) {
    Slot& slot = borrow_slot();
    shapes_ = connections_->shapes(slot.engine);
    free_slots_.push_back(&slot);
}

Transactions::~Transactions() {
    for (std::unique_ptr<Slot>& slot : slots_) {
        std::unique_ptr<SqlEngine> connection = std::move(slot->connection);
        slot.reset();
        connections_->give_back(std::move(connection));
    }
    connections_->give_back(std::move(mover_));
}

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
        slots_.push_back(std::make_unique<Slot>(*connections_, committed_, *this, options_.watches,
                                                node_.world()));
        free_slots_.push_back(slots_.back().get());
    }
    Slot& slot = *free_slots_.back();
    free_slots_.pop_back();
    return slot;
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
    mover_->move(shapes_, transaction.slot->engine.image(), onto, transaction.changes.rows);
    return onto;
}

SqlAnswer Transactions::execute(OpenTransaction& transaction, Show show,
                                std::vector<std::int64_t>& found) {
    const RunningStatement& statement = *transaction.statement;
    sources_.set_subject(transaction.client, statement.arrived);
    step_.clear();
    drawn_ = 0;
    subject_ = &transaction;
    Slot& slot = *transaction.slot;
    slot.capture.set_changes(&step_, keeps_inserted_);
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
    std::vector<ChangedRow> rows_before; // their places change on another image
    const bool is_up_to_date = statement.newer.empty() && statement.gone.empty();
    const Show show = is_up_to_date || text.latest.empty() ? Show::snapshot : Show::latest;
    if (show == Show::latest) {
        rows_before = transaction.changes.rows;
        PageImage latest = transaction.base;
        mover_->remove(shapes_, latest, statement.gone);
        mover_->show(shapes_, committed_, latest, statement.newer);
        slot.engine.show_latest(rebased(transaction, std::move(latest)));
    }
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
        slot.engine.show(before);
        if (show == Show::latest) transaction.changes.rows = std::move(rows_before);
        return result;
    }
    if (show == Show::latest) {
        slot.engine.show(slot.engine.latest());
        transaction.is_mixed = true;
    }
    keep(transaction);
    if (show == Show::latest && transaction.isolation == Isolation::repeatable_read) {
        PageImage own = transaction.base; // what else was newer goes again
        mover_->show(shapes_, slot.engine.image(), own, transaction.changes.rows);
        slot.engine.show(std::move(own));
    }
    return result;
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
    std::move(step_.inserted.begin(), step_.inserted.end(), std::back_inserter(changes.inserted));
    for (Notified& notified : step_.notified) {
        if (std::find(changes.notified.begin(), changes.notified.end(), notified) ==
            changes.notified.end())
            changes.notified.push_back(std::move(notified));
    }
    if (transaction.number == 0 && !changes.rows.empty()) transaction.number = next_number_++;
}

StoreError Transactions::commit(OpenTransaction& transaction) {
    const bool wrote = !transaction.changes.rows.empty() || transaction.former_shapes != nullptr;
    if (wrote) {
        const bool is_newest =
            unseen_.empty() && transaction.base_commit == commit_ && !transaction.is_mixed;
        Commit made;
        made.number = ledger_.commit_count() + 1;
        made.client = transaction.client;
        made.timeline = ledger_.log().written().timeline;
        made.image =
            is_newest ? transaction.slot->engine.image()
                      : rebased(transaction, unseen_.empty() ? committed_ : unseen_.back().image);
        made.changes = net_changes(transaction.changes.watched);
        if (keeps_inserted_) made.inserted = std::move(transaction.changes.inserted);
        CommitLog& log = ledger_.log();
        IoResult done = log.write(access_, std::move(made));
        if (done == IoResult::done && options_.synchronous == Synchronous::full)
            done = log.sync(access_);
        if (done == IoResult::full) return StoreError::disk_full;
        if (!process_.is_alive()) return StoreError::connection_lost; // the next life looks
        ledger_.committed(process_, log.written());
        const Commit& written = log.written();
        if (options_.replica == Replication::synchronous) {
            transaction.unseen_as = written.number;
            unseen_.push_back({written.number, written.image, &transaction});
            return {};
        }
        show(transaction, written.image, written.number);
    }
    transaction.is_committed = true;
    return {};
}

void Transactions::show(OpenTransaction& transaction, PageImage image, std::uint64_t commit) {
    committed_ = std::move(image);
    commit_ = commit;
    transaction.committed_as = commit_;
    if (open_.size() > 1) note_versions(transaction);
    show_relatives(transaction);
}

// **Source**: PostgreSQL xact.c, RecordTransactionCommit waits for the replica (SyncRepWaitForLSN)
// before ProcArrayEndTransaction shows the transaction to others.
void Transactions::show_up_to(std::uint64_t commit) {
    while (!unseen_.empty() && unseen_.front().commit <= commit) {
        Unseen& next = unseen_.front();
        next.transaction->unseen_as = 0;
        next.transaction->is_committed = true;
        show(*next.transaction, std::move(next.image), next.commit);
        unseen_.pop_front();
    }
}

std::vector<Notified> Transactions::take_notified(OpenTransaction& transaction) {
    if (!transaction.is_committed) return {};
    return std::exchange(transaction.changes.notified, {});
}

void Transactions::end(OpenTransaction& transaction) {
    if (transaction.statement) stop_waiting(transaction);
    std::erase(ready_, &transaction);
    tell_waiters(transaction);
    leave_queue(transaction);
    locks_.release(transaction.id, transaction.held);
    if (transaction.former_shapes != nullptr && !transaction.is_committed) {
        shapes_ = std::move(transaction.former_shapes);
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

} // namespace crier::broker
