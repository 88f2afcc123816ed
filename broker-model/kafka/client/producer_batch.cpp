#include "broker-model/kafka/client/producer_batch.hpp"

#include "broker-model/kafka/client/producer_accumulator.hpp"
#include "broker-model/kafka/log/producer_states.hpp"

namespace crier::broker::kafka {

namespace {

std::unique_ptr<ProducerBatch> begin_part(const ProducerBatch& whole) {
    auto part = std::make_unique<ProducerBatch>();
    part->partition = whole.partition;
    part->sequence = whole.sequence;
    part->records = std::make_shared<RecordBatch>();
    part->records->bytes = batch_overhead_bytes;
    part->created = whole.created;
    part->maybe_stored = whole.maybe_stored;
    part->is_split = part->is_full = true;
    return part;
}

} // namespace

// The records are copied: a request that was sent with them may still be on its way.
std::vector<std::unique_ptr<ProducerBatch>> split(const ProducerBatch& batch, std::size_t size) {
    std::vector<std::unique_ptr<ProducerBatch>> parts;
    std::size_t share = 0;
    std::uint32_t taken = 0; // of that share
    for (std::size_t at = 0; at < batch.places.size(); ++at) {
        const Record& record = batch.records->records[at];
        const std::size_t bytes = wire_bytes(record);
        if (parts.empty() || parts.back()->records->bytes + bytes > size) {
            parts.push_back(begin_part(batch));
            parts.back()->stamp = batch.stamp;
            parts.back()->first_send = batch.first_send + at;
            if (batch.stamp.is_set()) {
                parts.back()->stamp.sequence = sequence_after(batch.stamp.sequence, at);
            }
        }
        ProducerBatch& part = *parts.back();
        RecordBatch& records = *part.records;
        records.max_timestamp = std::max(records.max_timestamp, record.timestamp);
        records.records.push_back(record);
        records.bytes += bytes;
        part.places.push_back(batch.places[at]);
        const std::shared_ptr<SendCall>& call = batch.shares[share].call;
        if (part.shares.empty() || part.shares.back().call != call)
            part.shares.push_back({call, 0});
        ++part.shares.back().count;
        if (++taken == batch.shares[share].count) {
            ++share;
            taken = 0;
        }
    }
    return parts;
}

} // namespace crier::broker::kafka
