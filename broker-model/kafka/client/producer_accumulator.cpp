#include "broker-model/kafka/client/producer_accumulator.hpp"

#include <algorithm>

namespace crier::broker::kafka {

bool ProducerAccumulator::fits(const Queue& queue, std::size_t bytes) const {
    if (queue.batches.size() == queue.first) return false;
    const ProducerBatch& last = *queue.batches.back();
    return !last.is_full && last.records->bytes + bytes <= batch_size_;
}

bool ProducerAccumulator::has_room(PartitionId partition, std::size_t bytes) const {
    return memory_ >= std::max(batch_size_, batch_overhead_bytes + bytes) ||
           fits(queues_[partition], bytes);
}

ProducerBatch& ProducerAccumulator::open_batch(PartitionId partition, Queue& queue,
                                               std::size_t bytes, std::size_t following) {
    auto batch = std::make_unique<ProducerBatch>();
    batch->memory = std::min(memory_, std::max(batch_size_, batch_overhead_bytes + bytes));
    memory_ -= batch->memory;
    batch->partition = partition;
    batch->sequence = ++sequence_;
    batch->records = std::make_shared<RecordBatch>();
    batch->records->bytes = batch_overhead_bytes;
    const std::size_t expected = std::min(following + 1, queue.records_hint);
    batch->records->records.reserve(expected);
    batch->places.reserve(expected);
    queue.batches.push_back(std::move(batch));
    return *queue.batches.back();
}

std::uint64_t ProducerAccumulator::append(PartitionId partition, Record&& record, std::size_t bytes,
                                          Instant now, const std::shared_ptr<SendCall>& call,
                                          std::uint32_t place, std::size_t following) {
    Queue& queue = queues_[partition];
    const bool has_batch = queue.batches.size() > queue.first;
    ProducerBatch* batch = has_batch ? queue.batches.back().get() : nullptr;
    if (!fits(queue, bytes)) {
        if (has_batch) batch->is_full = true;
        batch = &open_batch(partition, queue, bytes, following);
        batch->created = now;
        batch->first_send = queue.sends;
        activate(partition, queue);
    }
    batch->records->max_timestamp = std::max(batch->records->max_timestamp, record.timestamp);
    batch->records->records.push_back(std::move(record));
    batch->records->bytes += bytes;
    if (batch->records->bytes >= batch_size_) batch->is_full = true;
    batch->places.push_back(place);
    if (batch->shares.empty() || batch->shares.back().call != call) {
        batch->shares.push_back({call, 0});
    }
    ++batch->shares.back().count;
    return queue.sends++;
}

void ProducerAccumulator::activate(PartitionId partition, Queue& queue) {
    if (queue.is_active) return;
    queue.is_active = true;
    active_.push_back(partition);
}

std::span<const PartitionId> ProducerAccumulator::active() {
    std::erase_if(active_, [this](PartitionId partition) {
        if (queued(partition) > 0) return false;
        queues_[partition].is_active = false;
        return true;
    });
    return active_;
}

bool ProducerAccumulator::is_full(PartitionId partition) const {
    return queued(partition) == 0 || queues_[partition].batches.back()->is_full;
}

Instant ProducerAccumulator::ready_at(PartitionId partition) const {
    const Queue& queue = queues_[partition];
    const ProducerBatch& batch = *queue.batches[queue.first];
    if (batch.attempts > 0) return batch.retry_at;
    const bool ready = batch.is_full || queued(partition) > 1 || batch.sequence <= flushed_;
    return ready ? batch.created : batch.created + linger_;
}

Instant ProducerAccumulator::oldest(PartitionId partition) const {
    const Queue& queue = queues_[partition];
    Instant oldest = Instant::max();
    for (std::size_t at = queue.first; at < queue.batches.size(); ++at) {
        oldest = std::min(oldest, queue.batches[at]->created);
    }
    return oldest;
}

std::unique_ptr<ProducerBatch> ProducerAccumulator::take(PartitionId partition) {
    Queue& queue = queues_[partition];
    std::unique_ptr<ProducerBatch> batch = std::move(queue.batches[queue.first]);
    if (++queue.first == queue.batches.size()) {
        queue.batches.clear();
        queue.first = 0;
    } else if (queue.first >= 64 && queue.first * 2 >= queue.batches.size()) {
        const auto taken = queue.batches.begin();
        queue.batches.erase(taken, taken + static_cast<std::ptrdiff_t>(queue.first));
        queue.first = 0;
    }
    batch->is_full = true;
    queue.records_hint = std::max<std::size_t>(16, batch->places.size());
    return batch;
}

void ProducerAccumulator::put_back(std::unique_ptr<ProducerBatch> batch) {
    Queue& queue = queues_[batch->partition];
    activate(batch->partition, queue);
    auto place = queue.batches.begin() + static_cast<std::ptrdiff_t>(queue.first);
    const auto goes_before = [&batch](const std::unique_ptr<ProducerBatch>& other) {
        return other->stamp.is_set() && other->sequence < batch->sequence;
    };
    while (batch->stamp.is_set() && place != queue.batches.end() && goes_before(*place))
        ++place;
    const bool is_front = place == queue.batches.begin() + static_cast<std::ptrdiff_t>(queue.first);
    if (is_front && queue.first > 0) {
        queue.batches[--queue.first] = std::move(batch);
    } else {
        queue.batches.insert(place, std::move(batch));
    }
}

template <class Predicate>
std::vector<std::unique_ptr<ProducerBatch>> ProducerAccumulator::take_if(Predicate is_taken) {
    std::vector<std::unique_ptr<ProducerBatch>> taken;
    for (const PartitionId partition : active_) {
        Queue& queue = queues_[partition];
        std::vector<std::unique_ptr<ProducerBatch>> kept;
        for (std::size_t at = queue.first; at < queue.batches.size(); ++at) {
            std::unique_ptr<ProducerBatch>& batch = queue.batches[at];
            (is_taken(*batch) ? taken : kept).push_back(std::move(batch));
        }
        queue.batches = std::move(kept);
        queue.first = 0;
    }
    return taken;
}

std::vector<std::unique_ptr<ProducerBatch>> ProducerAccumulator::take_expired(Instant limit) {
    return take_if([limit](const ProducerBatch& batch) { return batch.created <= limit; });
}

std::vector<std::unique_ptr<ProducerBatch>> ProducerAccumulator::take_unsent() {
    return take_if([](const ProducerBatch& batch) { return batch.attempts == 0; });
}

} // namespace crier::broker::kafka
