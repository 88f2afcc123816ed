#include "broker-model/kafka/producer_states.hpp"

#include <algorithm>
#include <limits>

namespace crier::broker::kafka {

std::int32_t sequence_after(std::int32_t sequence, std::size_t count) {
    constexpr std::int64_t greatest = std::numeric_limits<std::int32_t>::max();
    const std::int64_t after = std::int64_t{sequence} + static_cast<std::int64_t>(count);
    return static_cast<std::int32_t>(after > greatest ? after - greatest - 1 : after);
}

const ProducerStates::Producer* ProducerStates::find(std::int64_t id) const {
    const auto found = std::lower_bound(
        producers_.begin(), producers_.end(), id,
        [](const Producer& producer, std::int64_t it) { return producer.id < it; });
    return found != producers_.end() && found->id == id ? &*found : nullptr;
}

ProducerStates::Verdict ProducerStates::judge(const ProducerStamp& stamp, std::size_t count) const {
    Verdict verdict;
    const Producer* const known = stamp.is_set() ? find(stamp.id) : nullptr;
    if (known == nullptr) return verdict; // nothing known: any sequence is accepted
    if (stamp.epoch == known->epoch) {
        const std::int32_t last = sequence_after(stamp.sequence, count - 1);
        for (std::size_t at = 0; at < known->count; ++at) {
            const Written& written = known->written[at];
            if (written.first != stamp.sequence || written.last != last) continue;
            verdict.copy_at = written.base;
            return verdict;
        }
        const std::int32_t newest = known->written[known->count - 1].last;
        if (stamp.sequence != sequence_after(newest, 1))
            verdict.error = ErrorCode::out_of_order_sequence_number;
    } else if (stamp.epoch < known->epoch) {
        verdict.error = ErrorCode::invalid_producer_epoch;
    } else if (stamp.sequence != 0) {
        verdict.error = ErrorCode::out_of_order_sequence_number;
    }
    return verdict;
}

void ProducerStates::forget_before(std::int64_t oldest) {
    std::erase_if(producers_, [oldest](const Producer& producer) {
        return producer.last_timestamp >= 0 && producer.last_timestamp <= oldest;
    });
}

bool ProducerStates::is_last(const StoredBatch& stored) const {
    const Producer* const known = stored.producer.is_set() ? find(stored.producer.id) : nullptr;
    return known != nullptr && known->count > 0 && known->epoch == stored.producer.epoch &&
           known->written[known->count - 1].base == stored.base_offset;
}

void ProducerStates::note(const StoredBatch& stored) {
    const ProducerStamp& stamp = stored.producer;
    if (!stamp.is_set()) return;
    auto place = std::lower_bound(
        producers_.begin(), producers_.end(), stamp.id,
        [](const Producer& producer, std::int64_t id) { return producer.id < id; });
    if (place == producers_.end() || place->id != stamp.id) {
        Producer fresh;
        fresh.id = stamp.id;
        fresh.epoch = stamp.epoch;
        place = producers_.insert(place, fresh);
    }
    Producer& producer = *place;
    if (producer.epoch != stamp.epoch) {
        producer.epoch = stamp.epoch;
        producer.count = 0;
    }
    producer.last_timestamp = stored.max_timestamp();
    if (producer.count == batches_kept) {
        std::move(producer.written.begin() + 1, producer.written.end(), producer.written.begin());
        --producer.count;
    }
    const auto records = static_cast<std::size_t>(stored.batch->span());
    producer.written[producer.count++] = {
        stamp.sequence, sequence_after(stamp.sequence, records - 1), stored.base_offset};
}

} // namespace crier::broker::kafka
