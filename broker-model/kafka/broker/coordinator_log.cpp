#include "broker-model/kafka/broker/coordinator_log.hpp"

namespace crier::broker::kafka {

ErrorCode as_coordinator_error(ErrorCode error) {
    switch (error) {
    case ErrorCode::none: return ErrorCode::none;
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::request_timed_out: return ErrorCode::coordinator_not_available;
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::kafka_storage_error: return ErrorCode::not_coordinator;
    case ErrorCode::invalid_producer_epoch:
    case ErrorCode::invalid_txn_state:
    case ErrorCode::invalid_producer_id_mapping:
    case ErrorCode::transaction_abortable:
    case ErrorCode::not_coordinator: return error;
    default: return ErrorCode::unknown_server_error;
    }
}

Duration loading_time(const BrokerHome& home, const Replica& replica) {
    static constexpr sim::Purpose loading{"kafka.coordinator-load"};
    const auto epoch = static_cast<std::uint64_t>(replica.state.leader_epoch);
    const sim::Draw draw = home.world().random().draw(loading, replica.id, epoch);
    const auto records = static_cast<std::int64_t>(replica.log->batches().size());
    return draw.between(std::chrono::milliseconds(1), std::chrono::milliseconds(20)) +
           records * std::chrono::microseconds(2);
}

SharedBatch make_batch(const BrokerHome& home, std::vector<Record> records) {
    auto batch = std::make_shared<RecordBatch>();
    batch->bytes = 61; // the header of Kafka's batches
    const std::int64_t now = home.timestamp_now();
    for (Record& record : records) {
        record.timestamp = now;
        batch->bytes += 8 + record.key->size() + record.value.size();
    }
    batch->max_timestamp = now;
    batch->records = std::move(records);
    return batch;
}

} // namespace crier::broker::kafka
