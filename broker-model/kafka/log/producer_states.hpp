#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <array>
#include <vector>

// What one replica of a partition remembers of the idempotent producers that wrote to it: enough to
// tell a copy from a gap, and which transactions are open. It follows from the log's batches and
// moves, and is cut, with the log; only verifications are this broker's own.
// Source: Kafka ProducerStateManager, ProducerAppendInfo, VerificationStateEntry; KIP-98, KIP-890.

namespace crier::broker::kafka {

/// Returns the sequence `count` records after `sequence`: after the greatest comes 0.
/// **Source**: Kafka DefaultRecordBatch.incrementSequence.
[[nodiscard]] std::int32_t sequence_after(std::int32_t sequence, std::size_t count);

/// How a leader takes a transactional batch whose producer has no transaction open in the
/// partition.
struct TransactionRules {
    bool must_be_verified = true;     ///< transaction.partition.verification.enable
    bool epoch_by_transaction = true; ///< transaction.version 2: each has an epoch of its own.
};

/// Where a transaction that is over lies in the log.
struct EndedTransaction {
    std::int64_t producer = -1;
    Offset first = 0;
    Offset marker = 0;
};

class ProducerStates {
public:
    struct Verdict {
        ErrorCode error = ErrorCode::none;
        Offset copy_at = -1; ///< Where the batch is stored already; -1: it is to be appended.
    };

    /// Judges a batch of `count` records before it is appended. `guard` is what
    /// `begin_verification` gave for it, 0 for none.
    [[nodiscard]] Verdict judge(const ProducerStamp& stamp, std::size_t count,
                                const TransactionRules& rules = {}, std::uint32_t guard = 0) const;

    /// Whether the batch is the last that its producer wrote.
    [[nodiscard]] bool is_last(const StoredBatch& stored) const;

    /// Judges a coordinator's marker: of an epoch that is over, or of a coordinator that is.
    [[nodiscard]] ErrorCode judge_marker(const ProducerStamp& stamp, std::int32_t coordinator_epoch,
                                         const TransactionRules& rules) const;

    /// Whether the producer has a transaction open here in this epoch.
    [[nodiscard]] bool is_open(const ProducerStamp& stamp) const;

    /// The leader asks the coordinator whether the partition is part of the producer's transaction.
    /// **Returns** what stands for the question, `fresh` unless one is open: void once a batch or a
    /// marker of the producer has come between.
    [[nodiscard]] std::uint32_t begin_verification(const ProducerStamp& stamp, std::uint32_t fresh);

    void forget_verifications() { verifications_.clear(); }

    /// Remembers a batch that was appended. **Returns** the transaction that it ends, if it does.
    std::optional<EndedTransaction> note(const StoredBatch& stored);

    /// Returns where the earliest open transaction began; -1: none is open.
    [[nodiscard]] Offset first_open() const;

    void clear() { *this = {}; }

    /// Forgets the producers whose last record is older than `oldest`, wall nanoseconds, unless
    /// they have a transaction open.
    /// **Source**: Kafka ProducerStateManager.removeExpiredProducers.
    void forget_before(std::int64_t oldest);

private:
    static constexpr std::size_t batches_kept = 5; // ProducerStateEntry.NUM_BATCHES_TO_RETAIN

    struct Written {
        std::int32_t first = 0; // sequence
        std::int32_t last = 0;
        Offset base = 0;
    };
    struct Producer {
        std::int64_t id = 0;
        std::int16_t epoch = 0;
        std::int64_t last_timestamp = -1;
        std::array<Written, batches_kept> written{}; // the oldest first
        std::size_t count = 0;
        Offset open_since = -1; // its transaction's first offset
        std::int32_t coordinator_epoch = -1;

        [[nodiscard]] std::int32_t last_sequence() const {
            return count == 0 ? -1 : written[count - 1].last;
        }
        void begin_epoch(std::int16_t begun) {
            if (epoch == begun) return;
            epoch = begun;
            count = 0;
        }
    };
    struct Verification {
        std::int64_t id = 0;
        std::int16_t epoch = 0;
        std::int32_t lowest_sequence = 0;
        std::uint32_t guard = 0;
    };

    [[nodiscard]] const Producer* find(std::int64_t id) const;
    [[nodiscard]] const Verification* find_verification(const ProducerStamp& stamp) const;
    [[nodiscard]] bool is_in_sequence(const Producer* known, const ProducerStamp& stamp,
                                      const TransactionRules& rules) const;
    [[nodiscard]] Producer& enter(const ProducerStamp& stamp);
    std::optional<EndedTransaction> note_marker(const StoredBatch& marker);

    std::vector<Producer> producers_; // by id, ascending
    std::vector<Offset> open_;        // first offsets of open transactions, ascending
    std::vector<Verification> verifications_;
};

} // namespace crier::broker::kafka
