#include "broker-model/store/transaction_parts.hpp"

#include <span>

// What stood in a statement's way before it came to its locks. SQLite looks at keys first and then
// at rows, PostgreSQL at rows first and then at one key after the other; so that the same waits
// come about, the statement is tried without what was in its way.

namespace crier::broker {

namespace {

/// Returns the rows that a statement has written which waits for a key now.
std::vector<ChangedRow> pending_rows(const OpenTransaction& transaction) {
    if (!transaction.statement || transaction.statement->ticket == 0) return {};
    return transaction.statement->wants_key ? transaction.statement->written
                                            : std::vector<ChangedRow>();
}

} // namespace

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
    mover_->clear(shapes_, empty, shapes_->find(text.table));
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
            mover_->remove(shapes_, without, std::span(&row, 1));
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

} // namespace crier::broker
