#pragma once

#include "broker-model/kafka/log/producer_states.hpp"

#include <optional>
#include <string>
#include <vector>

// One transactional id as its coordinator holds it. Source: Kafka TransactionMetadata,
// TransactionState.

namespace crier::broker::kafka {

enum class TransactionState : std::uint8_t {
    empty,
    ongoing,
    prepare_commit, ///< The verdict is in the log, the markers are not everywhere.
    prepare_abort,
    complete_commit,
    complete_abort,
};

struct Transaction {
    std::string id;
    std::int64_t producer = -1;
    std::int64_t previous_producer = -1; ///< Whose epochs were used up; -1: none.
    std::int64_t next_producer = -1;     ///< From the end of this transaction on; -1: the same.
    std::int16_t epoch = -1;
    std::int16_t last_epoch = -1; ///< The one before, as far as its owner may ask again; -1: none.
    Duration timeout{};
    TransactionState state = TransactionState::empty;
    std::vector<PartitionId> partitions; ///< Sorted.
    WallTime started{};                  ///< By the coordinator's clock.

    [[nodiscard]] bool is_prepared() const {
        return state == TransactionState::prepare_commit ||
               state == TransactionState::prepare_abort;
    }
    [[nodiscard]] bool is_verdict(bool committed) const {
        return state == (committed ? TransactionState::prepare_commit
                                   : TransactionState::prepare_abort) ||
               state == (committed ? TransactionState::complete_commit
                                   : TransactionState::complete_abort);
    }
    [[nodiscard]] bool has_used_up_epochs() const;
    [[nodiscard]] bool holds(PartitionId partition) const;
};

/// What a request does to a transactional id: refused, answered as it is, or answered once `next`
/// is in the log.
struct TransactionStep {
    ErrorCode error = ErrorCode::none;
    std::optional<Transaction> next;
};

/// A producer takes the id, or asks again for a higher epoch of its own. An open transaction is
/// aborted first: `next` is then its abort, and the caller has to ask again.
/// `fresh_producer` is used when the epochs are used up.
/// **Source**: Kafka TransactionCoordinator.prepareInitProducerIdTransit; KIP-360.
[[nodiscard]] TransactionStep take_id(const Transaction& now, const InitProducerIdRequest& request,
                                      const TransactionRules& rules, std::int64_t fresh_producer);

/// The producer, or a leader in its name, adds partitions.
/// **Source**: TransactionCoordinator.handleAddPartitionsToTransaction.
[[nodiscard]] TransactionStep
add_partitions(const Transaction& now, const AddPartitionsRequest& request, WallTime wall_now);

/// A leader asks whether a partition is part of the open transaction.
/// **Source**: TransactionCoordinator.handleVerifyPartitionsInTransaction.
[[nodiscard]] ErrorCode verify_partition(const Transaction& now,
                                         const AddPartitionsRequest& request,
                                         PartitionId partition);

/// The producer ends its transaction. **Source**: TransactionCoordinator.endTransaction.
[[nodiscard]] TransactionStep end(const Transaction& now, const EndTransactionRequest& request,
                                  const TransactionRules& rules, std::int64_t fresh_producer);

/// The coordinator aborts an open transaction, and fences who opened it. `fresh_producer` is used
/// when the epochs are used up.
/// **Source**: TransactionMetadata.prepareFenceProducerEpoch, prepareAbortOrCommit.
[[nodiscard]] Transaction abort_and_fence(const Transaction& now, const TransactionRules& rules,
                                          std::int64_t fresh_producer);

/// The markers are written everywhere. **Source**: TransactionMetadata.prepareComplete.
[[nodiscard]] Transaction complete(const Transaction& now);

} // namespace crier::broker::kafka
