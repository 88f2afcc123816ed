#include "broker-model/kafka/client/producer_sequences.hpp"

#include "broker-model/kafka/log/producer_states.hpp"

#include <algorithm>
#include <limits>

namespace crier::broker::kafka {

void ProducerSequences::take_id(std::int64_t id, std::int16_t epoch) {
    id_ = id;
    epoch_ = epoch;
}

// Source: Kafka RecordAccumulator.shouldStopDrainBatchesForPartition.
bool ProducerSequences::may_send(const ProducerBatch& head) const {
    const Partition& partition = partitions_[head.partition];
    if (!has_id()) return false;
    if (!head.stamp.is_set()) return !partition.is_unresolved || is_stale(partition);
    return partition.under_way.empty() || partition.under_way.front() == &head;
}

void ProducerSequences::begin(Partition& partition) {
    partition.id = id_;
    partition.epoch = epoch_;
    partition.next = 0;
    partition.last_acked = -1;
    partition.is_unresolved = false;
}

void ProducerSequences::stamp(ProducerBatch& batch) {
    Partition& partition = partitions_[batch.partition];
    if (is_stale(partition) && partition.under_way.empty()) begin(partition);
    batch.stamp = {partition.id, partition.epoch, partition.next, transactional_};
    partition.next = sequence_after(partition.next, batch.records->records.size());
    partition.under_way.push_back(&batch);
}

void ProducerSequences::leave(Partition& partition, const ProducerBatch& batch) {
    std::erase(partition.under_way, &batch);
    if (!partition.is_unresolved || !partition.under_way.empty()) return;
    // Source: Kafka TransactionManager.maybeResolveSequences.
    partition.is_unresolved = false;
    const bool is_whole = sequence_after(partition.last_acked, 1) == partition.next;
    if (!is_whole) want_renewal(partition);
}

void ProducerSequences::succeeded(const ProducerBatch& batch) {
    if (!batch.stamp.is_set()) return;
    Partition& partition = partitions_[batch.partition];
    const bool counts = batch.stamp.id == partition.id && batch.stamp.epoch == partition.epoch;
    const std::int32_t last =
        sequence_after(batch.stamp.sequence, batch.records->records.size() - 1);
    if (counts) partition.last_acked = std::max(partition.last_acked, last);
    leave(partition, batch);
}

void ProducerSequences::replace(const ProducerBatch& batch,
                                const std::vector<std::unique_ptr<ProducerBatch>>& parts) {
    if (!batch.stamp.is_set()) return;
    std::vector<ProducerBatch*>& under_way = partitions_[batch.partition].under_way;
    auto place = std::find(under_way.begin(), under_way.end(), &batch);
    if (place == under_way.end()) return;
    place = under_way.erase(place);
    for (const std::unique_ptr<ProducerBatch>& part : parts)
        place = under_way.insert(place, part.get()) + 1;
}

// Source: Kafka TransactionManager.canRetry.
bool ProducerSequences::may_retry(const ProducerBatch& batch, ErrorCode error) {
    if (!batch.stamp.is_set() || error != ErrorCode::out_of_order_sequence_number) return false;
    Partition& partition = partitions_[batch.partition];
    const bool is_next = sequence_after(partition.last_acked, 1) == batch.stamp.sequence;
    const bool is_gap = is_next || partition.is_unresolved;
    if (is_gap) want_renewal(partition);
    return !is_gap || !transactional_;
}

// Source: Kafka TransactionManager.handleFailedBatch, markSequenceUnresolved.
void ProducerSequences::failed(const ProducerBatch& batch, bool expired) {
    if (!batch.stamp.is_set()) return;
    Partition& partition = partitions_[batch.partition];
    if (expired) {
        partition.is_unresolved = true;
    } else {
        want_renewal(partition);
    }
    leave(partition, batch);
}

void ProducerSequences::want_renewal(Partition& partition) {
    if (transactional_) return; // its transaction is aborted
    partition.wants_renewal = true;
    wants_renewal_ = true;
}

// Source: Kafka TransactionManager.bumpIdempotentProducerEpoch.
void ProducerSequences::renew() {
    if (!wants_renewal_ || !has_id()) return;
    wants_renewal_ = false;
    if (epoch_ == std::numeric_limits<std::int16_t>::max()) {
        id_ = -1; // asks for another
        epoch_ = -1;
    } else {
        ++epoch_;
    }
    for (Partition& partition : partitions_) {
        if (!partition.wants_renewal) continue;
        partition.wants_renewal = false;
        partition.is_unresolved = false;
        begin(partition);
        if (!has_id()) { // they get their numbers when they are sent again
            for (ProducerBatch* const batch : partition.under_way)
                batch->stamp = {};
            partition.under_way.clear();
        }
        for (ProducerBatch* const batch : partition.under_way) {
            batch->stamp = {partition.id, partition.epoch, partition.next};
            partition.next = sequence_after(partition.next, batch->records->records.size());
        }
    }
}

} // namespace crier::broker::kafka
