#pragma once

#include "broker-model/kafka/client/producer_batch.hpp"

#include <vector>

// How an idempotent producer numbers its batches: by partition, so that a leader can tell a copy
// from a gap. Knows the batches that have a number and no outcome yet; sends nothing.
// A transactional producer begins anew only with an epoch from its coordinator.
// Source: Kafka TransactionManager, TxnPartitionMap.

namespace crier::broker::kafka {

class ProducerSequences {
public:
    ProducerSequences(PartitionId partitions, bool transactional)
        : partitions_(partitions), transactional_(transactional) {}

    /// There are more partitions now.
    void grow(PartitionId partitions) { partitions_.resize(partitions); }

    [[nodiscard]] bool has_id() const { return id_ >= 0; }

    /// InitProducerId was answered.
    void take_id(std::int64_t id, std::int16_t epoch);

    /// Whether the head of a partition's queue may be sent now: while a batch is tried again, it
    /// alone and the lowest first; nothing new while it is open what became of an expired one.
    [[nodiscard]] bool may_send(const ProducerBatch& head) const;

    /// Numbers a batch that is sent for the first time. **Requires** `has_id`.
    void stamp(ProducerBatch& batch);

    /// The batch is stored, at whatever offset.
    void succeeded(const ProducerBatch& batch);

    /// The batch goes on as `parts`, which are numbered already.
    void replace(const ProducerBatch& batch,
                 const std::vector<std::unique_ptr<ProducerBatch>>& parts);

    /// Whether a refused batch is to be sent again although Kafka calls the error final: an earlier
    /// one is missing and still under way, or the numbering begins anew.
    [[nodiscard]] bool may_retry(const ProducerBatch& batch, ErrorCode error);

    /// The batch has failed for good; `expired`: without a last answer, so that it may be stored.
    void failed(const ProducerBatch& batch, bool expired);

    /// Begins a new epoch where something asked for one, and numbers what is under way in the
    /// partitions concerned from 0. To be called before anything is sent.
    void renew();

private:
    struct Partition {
        std::int64_t id = -1; // under which its numbers count
        std::int16_t epoch = -1;
        std::int32_t next = 0;
        std::int32_t last_acked = -1;
        bool is_unresolved = false; // an expired batch may be stored or not
        bool wants_renewal = false;
        std::vector<ProducerBatch*> under_way; // numbered, without outcome, in their order
    };

    [[nodiscard]] bool is_stale(const Partition& partition) const {
        return partition.id != id_ || partition.epoch != epoch_;
    }
    void begin(Partition& partition);
    void leave(Partition& partition, const ProducerBatch& batch);
    void want_renewal(Partition& partition);

    std::vector<Partition> partitions_; // by PartitionId
    bool transactional_;
    std::int64_t id_ = -1;
    std::int16_t epoch_ = -1;
    bool wants_renewal_ = false;
};

} // namespace crier::broker::kafka
