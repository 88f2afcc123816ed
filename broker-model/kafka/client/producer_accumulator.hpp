#pragma once

#include "broker-model/kafka/client/producer_batch.hpp"

#include <span>
#include <utility>
#include <vector>

// Batches that wait to be sent, in a queue per partition. It does not know brokers: who leads what
// and what is under way is the sender's.

namespace crier::broker::kafka {

/// Returns the size of a record in a batch. **Source**: Kafka DefaultRecord: about seven bytes of
/// lengths and deltas, and two per header.
template <class RecordType>
[[nodiscard]] std::size_t wire_bytes(const RecordType& record) {
    std::size_t bytes = 7 + record.value.size();
    if (record.key) bytes += record.key->size();
    for (const Header& header : record.headers) {
        bytes += 2 + header.name.size() + header.value.size();
    }
    return bytes;
}

/// Size of a batch without its records. **Source**: Kafka DefaultRecordBatch.
inline constexpr std::size_t batch_overhead_bytes = 61;

class ProducerAccumulator {
public:
    ProducerAccumulator(PartitionId partitions, const crier::kafka::ProducerOptions& options)
        : batch_size_(options.batch_size), linger_(options.linger), memory_(options.buffer_memory),
          queues_(partitions) {}

    /// There are more partitions now.
    void grow(PartitionId partitions) { queues_.resize(partitions); }

    /// Whether there is memory for a record of that size. **Source**: Kafka BufferPool: a new batch
    /// takes batch.size bytes, or what its first record needs.
    [[nodiscard]] bool has_room(PartitionId partition, std::size_t bytes) const;

    /// A batch has its outcome.
    void release(ProducerBatch& batch) { memory_ += std::exchange(batch.memory, 0); }

    /// Appends a record of `bytes` that is `place` of `call`; `following` more of the call may
    /// come. **Returns** how many were appended to the partition before.
    std::uint64_t append(PartitionId partition, Record&& record, std::size_t bytes, Instant now,
                         const std::shared_ptr<SendCall>& call, std::uint32_t place,
                         std::size_t following);

    /// Returns the partitions that have something queued, in the order in which they got it.
    [[nodiscard]] std::span<const PartitionId> active();

    [[nodiscard]] std::size_t queued(PartitionId partition) const {
        return queues_[partition].batches.size() - queues_[partition].first;
    }

    /// Returns the batch that is next to be sent. **Requires** that one is queued.
    [[nodiscard]] ProducerBatch& head(PartitionId partition) {
        return *queues_[partition].batches[queues_[partition].first];
    }

    /// Whether no batch of the partition takes more records.
    [[nodiscard]] bool is_full(PartitionId partition) const;

    /// Returns when the head may be sent: full, followed by another, flushed or lingered enough;
    /// when it was tried before, after its backoff.
    [[nodiscard]] Instant ready_at(PartitionId partition) const;

    /// Takes the head; it takes no more records.
    [[nodiscard]] std::unique_ptr<ProducerBatch> take(PartitionId partition);

    /// Puts a batch that was taken back to the front; behind those with lower sequences, where they
    /// have some. **Source**: Kafka RecordAccumulator.reenqueue, insertInSequenceOrder.
    void put_back(std::unique_ptr<ProducerBatch> batch);

    /// Takes the batches created at `limit` or before, in the order of partitions and queues.
    [[nodiscard]] std::vector<std::unique_ptr<ProducerBatch>> take_expired(Instant limit);

    /// Takes the batches that have never been sent, in the order of partitions and queues.
    [[nodiscard]] std::vector<std::unique_ptr<ProducerBatch>> take_unsent();

    /// Returns when the oldest batch of the partition was created. **Requires** that one is queued.
    [[nodiscard]] Instant oldest(PartitionId partition) const;

    /// Makes everything appended so far ready.
    void flush() { flushed_ = sequence_; }

    /// Returns how many batches were made so far: the sequence of the newest.
    [[nodiscard]] std::uint64_t sequence() const { return sequence_; }

private:
    struct Queue {
        std::vector<std::unique_ptr<ProducerBatch>> batches; // those before `first` are taken
        std::size_t first = 0;
        std::uint64_t sends = 0;       // records appended so far
        std::size_t records_hint = 16; // of the last batch taken
        bool is_active = false;
    };

    template <class Predicate>
    [[nodiscard]] std::vector<std::unique_ptr<ProducerBatch>> take_if(Predicate is_taken);
    [[nodiscard]] bool fits(const Queue& queue, std::size_t bytes) const;
    ProducerBatch& open_batch(PartitionId partition, Queue& queue, std::size_t bytes,
                              std::size_t following);
    void activate(PartitionId partition, Queue& queue);

    std::size_t batch_size_;
    Duration linger_;
    std::size_t memory_;        // free
    std::vector<Queue> queues_; // by PartitionId
    std::vector<PartitionId> active_;
    std::uint64_t sequence_ = 0;
    std::uint64_t flushed_ = 0;
};

} // namespace crier::broker::kafka
