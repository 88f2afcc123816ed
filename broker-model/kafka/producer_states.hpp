#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <array>
#include <vector>

// What one replica of a partition remembers of the idempotent producers that wrote to it: enough to
// tell a copy from a gap. It follows from the log's batches and moves, and is cut, with the log.
// Source: Kafka ProducerStateManager, ProducerAppendInfo.

namespace crier::broker::kafka {

/// Returns the sequence `count` records after `sequence`: after the greatest comes 0.
/// **Source**: Kafka DefaultRecordBatch.incrementSequence.
[[nodiscard]] std::int32_t sequence_after(std::int32_t sequence, std::size_t count);

class ProducerStates {
public:
    struct Verdict {
        ErrorCode error = ErrorCode::none;
        Offset copy_at = -1; ///< Where the batch is stored already; -1: it is to be appended.
    };

    /// Judges a client's batch of `count` records before it is appended.
    [[nodiscard]] Verdict judge(const ProducerStamp& stamp, std::size_t count) const;

    /// Whether the batch is the last that its producer wrote.
    [[nodiscard]] bool is_last(const StoredBatch& stored) const;

    /// Remembers a batch that was appended.
    void note(const StoredBatch& stored);

    void clear() { producers_.clear(); }

    /// Forgets the producers whose last record is older than `oldest`, wall nanoseconds.
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
    };

    [[nodiscard]] const Producer* find(std::int64_t id) const;

    std::vector<Producer> producers_; // by id, ascending
};

} // namespace crier::broker::kafka
