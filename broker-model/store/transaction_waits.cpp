#include "broker-model/store/transaction_parts.hpp"
#include "sim/world.hpp"

// Who waits for whom, what comes of it, and what a statement sees when it goes on.

namespace crier::broker {

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
                statement.is_key_taken = takes && mover_->has(shapes_, committed_, rows[row].place);
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

} // namespace crier::broker
