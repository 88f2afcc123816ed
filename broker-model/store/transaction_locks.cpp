#include "broker-model/store/transaction_parts.hpp"

// What a statement has to lock, and how it gets it: after it ran, before it counts.

namespace crier::broker {

namespace {

bool has_new(const std::vector<ChangedRow>& rows, const RowPlace& place) {
    const std::size_t at = index_of(rows, place);
    return at < rows.size() && rows[at].is_new;
}

} // namespace

/// Locks what the statement has changed and found. **Returns** nothing if it has to wait.
std::optional<SqlAnswer> Transactions::settle(OpenTransaction& transaction,
                                              const StatementText& text, SqlAnswer answer,
                                              Show show, const std::vector<std::int64_t>& found) {
    const Slot& slot = *transaction.slot;
    if (answer.is_ok() && schema_of(slot.engine.image()) != schema_of(transaction.base) &&
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
    for (const LockRequest& request : transaction.statement->rechecks) {
        const bool is_gone =
            index_of(transaction.statement->gone, request.row) < transaction.statement->gone.size();
        if (!is_gone && mover_->has(shapes_, committed_, request.row)) found_.push_back(request);
    }
    // Also what it did before an error: it would have waited there.
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
        mover_->has(shapes_, committed_, version->second.row))
        return Locked::overtaken;
    const bool is_news =
        show_newer(*transaction.statement, version->second.row, version->second.is_gone);
    return is_news ? Locked::not_yet : Locked::all;
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
        const std::vector<std::int64_t> parent =
            transaction.slot->engine.row_ids(query, parameters(child.place.row_id));
        if (parent.empty()) continue;
        const RowPlace row{reference.table, parent.front()};
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
    std::shared_ptr<const TableShapes> shapes = connections_->shapes(transaction.slot->engine);
    if (!shapes->problem.empty()) return failed(StoreError::statement_error);
    transaction.former_shapes = std::exchange(shapes_, std::move(shapes));
    transaction.slot->capture.set_shapes(shapes_);
    return answer;
}

} // namespace crier::broker
