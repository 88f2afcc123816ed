#include "broker-model/kafka/transactions/transaction.hpp"

#include <algorithm>
#include <limits>

namespace crier::broker::kafka {

namespace {

using State = TransactionState;

constexpr std::int16_t greatest_epoch = std::numeric_limits<std::int16_t>::max();

// From 4.0 on every end of a transaction begins an epoch, so that nothing late can meet the next.
// Source: TransactionMetadata.prepareAbortOrCommit; KIP-890.
Transaction prepare(Transaction next, State state, const TransactionRules& rules,
                    std::int64_t fresh_producer) {
    next.state = state;
    if (!rules.epoch_by_transaction) return next;
    next.last_epoch = next.epoch;
    if (next.has_used_up_epochs()) {
        // The markers still carry the old id; the next transaction begins under the fresh one.
        next.epoch = greatest_epoch;
        next.next_producer = fresh_producer;
    } else {
        ++next.epoch;
    }
    return next;
}

} // namespace

bool Transaction::has_used_up_epochs() const {
    return epoch >= greatest_epoch - 1;
}

bool Transaction::holds(PartitionId partition) const {
    return std::binary_search(partitions.begin(), partitions.end(), partition);
}

TransactionStep take_id(const Transaction& now, const InitProducerIdRequest& request,
                        const TransactionRules& rules, std::int64_t fresh_producer) {
    const bool names_itself = request.producer >= 0;
    const bool is_owner = request.producer == now.producer && request.epoch == now.epoch;
    const bool asks_again =
        request.producer == now.producer && now.last_epoch >= 0 && request.epoch == now.last_epoch;
    const bool was_owner = request.producer == now.previous_producer && now.last_epoch >= 0 &&
                           request.epoch == now.last_epoch;
    if (names_itself && !is_owner && !asks_again && !was_owner) {
        return {ErrorCode::producer_fenced, std::nullopt};
    }
    if (now.is_prepared()) return {ErrorCode::concurrent_transactions, std::nullopt};
    if (now.state == State::ongoing) {
        return {ErrorCode::concurrent_transactions, abort_and_fence(now, rules, fresh_producer)};
    }
    Transaction next = now;
    next.state = State::empty;
    next.timeout = request.transaction_timeout;
    next.partitions.clear();
    if (names_itself && !is_owner) return {ErrorCode::none, next}; // its answer was lost
    next.last_epoch = names_itself ? now.epoch : std::int16_t{-1};
    if (now.has_used_up_epochs()) {
        next.previous_producer = now.producer;
        next.producer = fresh_producer;
        next.epoch = 0;
    } else {
        ++next.epoch;
    }
    return {ErrorCode::none, next};
}

namespace {

ErrorCode check_owner(const Transaction& now, std::int64_t producer, std::int16_t epoch) {
    if (now.producer != producer) return ErrorCode::invalid_producer_id_mapping;
    if (now.epoch != epoch) return ErrorCode::producer_fenced;
    return now.is_prepared() ? ErrorCode::concurrent_transactions : ErrorCode::none;
}

} // namespace

TransactionStep add_partitions(const Transaction& now, const AddPartitionsRequest& request,
                               WallTime wall_now) {
    const ErrorCode error = check_owner(now, request.producer, request.epoch);
    if (error != ErrorCode::none) return {error, std::nullopt};
    Transaction next = now;
    if (now.state != State::ongoing) {
        next.state = State::ongoing;
        next.started = wall_now;
        next.partitions.clear();
    }
    for (const PartitionId partition : request.partitions) {
        if (next.holds(partition)) continue;
        next.partitions.insert(
            std::lower_bound(next.partitions.begin(), next.partitions.end(), partition), partition);
    }
    const bool is_known =
        now.state == State::ongoing && next.partitions.size() == now.partitions.size();
    if (is_known) return {};
    return {ErrorCode::none, next};
}

ErrorCode verify_partition(const Transaction& now, const AddPartitionsRequest& request,
                           PartitionId partition) {
    const ErrorCode error = check_owner(now, request.producer, request.epoch);
    if (error != ErrorCode::none) return error;
    const bool is_part = now.state == State::ongoing && now.holds(partition);
    return is_part ? ErrorCode::none : ErrorCode::transaction_abortable;
}

TransactionStep end(const Transaction& now, const EndTransactionRequest& request,
                    const TransactionRules& rules, std::int64_t fresh_producer) {
    // A retry of what was carried out: since then the epoch, or even the id, is another.
    const bool over_epoch = rules.epoch_by_transaction && request.producer == now.producer &&
                            now.epoch > 0 && request.epoch == now.epoch - 1;
    const bool over_id = rules.epoch_by_transaction && request.producer == now.previous_producer &&
                         request.epoch == greatest_epoch - 1 && now.epoch == 0;
    const bool is_retry = over_epoch || over_id;
    if (request.producer != now.producer && !over_id) {
        return {ErrorCode::invalid_producer_id_mapping, std::nullopt};
    }
    if (request.epoch != now.epoch && !is_retry) return {ErrorCode::producer_fenced, std::nullopt};
    const State verdict = request.committed ? State::prepare_commit : State::prepare_abort;
    const TransactionStep invalid{ErrorCode::invalid_txn_state, std::nullopt};
    switch (now.state) {
    case State::ongoing:
        if (is_retry) return {ErrorCode::producer_fenced, std::nullopt};
        return {ErrorCode::none, prepare(now, verdict, rules, fresh_producer)};
    case State::prepare_commit:
    case State::prepare_abort:
        if (rules.epoch_by_transaction && !is_retry) {
            return {ErrorCode::producer_fenced, std::nullopt};
        }
        if (now.is_verdict(request.committed)) {
            return {ErrorCode::concurrent_transactions, std::nullopt};
        }
        return invalid;
    case State::complete_commit:
    case State::complete_abort:
        if (is_retry || !rules.epoch_by_transaction) {
            return now.is_verdict(request.committed) ? TransactionStep{} : invalid;
        }
        break;
    case State::empty:
        if (is_retry) return {ErrorCode::producer_fenced, std::nullopt};
        break;
    }
    // Nothing was begun. From 4.0 on a producer that does not know whether anything reached a
    // leader may abort it all the same, and so ends its epoch.
    if (request.committed || !rules.epoch_by_transaction) return invalid;
    Transaction next = now;
    next.partitions.clear();
    return {ErrorCode::none, prepare(next, State::prepare_abort, rules, fresh_producer)};
}

// From transaction.version 2 on the end begins an epoch anyway, and who opened it is fenced by
// that; its own abort, when it comes, counts as a retry. Source:
// TransactionCoordinator.endTransaction, KAFKA-19367, KAFKA-20090.
Transaction abort_and_fence(const Transaction& now, const TransactionRules& rules,
                            std::int64_t fresh_producer) {
    Transaction next = now;
    if (!rules.epoch_by_transaction && next.epoch < greatest_epoch - 1) ++next.epoch;
    next = prepare(next, State::prepare_abort, rules, fresh_producer);
    next.last_epoch = -1; // nor may it ask for an epoch above its own
    return next;
}

Transaction complete(const Transaction& now) {
    Transaction next = now;
    next.state =
        now.state == State::prepare_commit ? State::complete_commit : State::complete_abort;
    next.partitions.clear();
    if (next.next_producer >= 0) {
        next.previous_producer = std::exchange(next.producer, next.next_producer);
        next.next_producer = -1;
        next.epoch = 0;
    }
    return next;
}

} // namespace crier::broker::kafka
