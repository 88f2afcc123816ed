#include "broker-model/store/transaction_parts.hpp"

// What SQL functions are answered about the statement that is being run.

namespace crier::broker {

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

// Told once, however often a transaction says it. **Source**: PostgreSQL manual, NOTIFY.
void Transactions::notify(std::string_view channel, std::string_view payload) {
    step_.notified.push_back({std::string(channel), std::string(payload)});
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
