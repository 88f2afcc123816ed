#include "messaging/kafka/transactional_producer.hpp"

#include "messaging/kafka/handle.hpp"

#include <functional>
#include <stdexcept>
#include <utility>

namespace crier::messaging::kafka {

using crier::kafka::GroupMetadata;
using crier::kafka::ProducerRecord;
using crier::kafka::RecordMetadata;
using crier::kafka::TopicPartitionOffset;
using crier::kafka::TransactionPhase;

namespace {

using Error = Owned<rd_kafka_error_t>;

// What librdkafka says of an error that it calls neither fatal nor to be aborted is for another
// try.
TransactionPhase phase_after(const rd_kafka_error_t& error, TransactionPhase otherwise) {
    if (rd_kafka_error_is_fatal(&error) != 0) return TransactionPhase::fatal;
    if (rd_kafka_error_txn_requires_abort(&error) != 0) return TransactionPhase::abortable;
    return otherwise;
}

Failure failure_of(const rd_kafka_error_t& error) {
    const bool is_open =
        rd_kafka_error_is_retriable(&error) != 0 && rd_kafka_error_txn_requires_abort(&error) == 0;
    const rd_kafka_resp_err_t code = rd_kafka_error_code(&error);
    const bool is_fenced = code == RD_KAFKA_RESP_ERR__FENCED;
    return Failure{is_fenced ? make_error_code(crier::kafka::ErrorCode::producer_fenced)
                             : to_error(code),
                   is_open ? Certainty::unknown : Certainty::failed};
}

Owned<rd_kafka_consumer_group_metadata_t> metadata_of(const GroupMetadata& group) {
    rd_kafka_consumer_group_metadata_t* metadata = nullptr;
    if (group.token.empty()) {
        metadata =
            group.member_id.empty()
                ? rd_kafka_consumer_group_metadata_new(group.group_id.c_str())
                : rd_kafka_consumer_group_metadata_new_with_genid(
                      group.group_id.c_str(), group.generation, group.member_id.c_str(), nullptr);
    } else {
        const Error error(rd_kafka_consumer_group_metadata_read(&metadata, group.token.data(),
                                                                group.token.size()));
    }
    return Owned<rd_kafka_consumer_group_metadata_t>(metadata);
}

} // namespace

RdkafkaTransactionalProducer::RdkafkaTransactionalProducer(asio::any_io_executor executor,
                                                           Clock& clock, const Settings& settings,
                                                           Duration max_block)
    : max_block_ms_(to_ms(max_block)), producer_(std::move(executor), clock, settings, max_block) {}

asio::awaitable<Outcome<void>> RdkafkaTransactionalProducer::run(std::function<Result()> job) {
    Result result = co_await producer_.worker().run<Result>(std::move(job));
    phase_ = result.phase;
    co_return std::move(result.outcome);
}

asio::awaitable<std::vector<Outcome<RecordMetadata>>>
RdkafkaTransactionalProducer::send(std::vector<ProducerRecord> records) {
    if (phase_ == Phase::uninitialized || phase_ == Phase::ready || phase_ == Phase::unsettled) {
        throw std::logic_error("there is no transaction");
    }
    return producer_.send(std::move(records));
}

asio::awaitable<Outcome<void>> RdkafkaTransactionalProducer::init() {
    if (phase_ != Phase::uninitialized) {
        throw std::logic_error("a transactional id is taken once");
    }
    return run([this] {
        const Error error(rd_kafka_init_transactions(producer_.handle(), max_block_ms_));
        if (!error) return Result{Outcome<void>(), Phase::ready};
        return Result{failure_of(*error), phase_after(*error, Phase::uninitialized)};
    });
}

void RdkafkaTransactionalProducer::begin() {
    if (phase_ != Phase::ready) {
        throw std::logic_error("a transaction begins when the producer is ready");
    }
    const Error error(rd_kafka_begin_transaction(producer_.handle()));
    phase_ = error ? phase_after(*error, Phase::fatal) : Phase::in_transaction;
}

asio::awaitable<Outcome<void>>
RdkafkaTransactionalProducer::send_offsets(std::vector<TopicPartitionOffset> offsets,
                                           GroupMetadata group) {
    expect_transaction(true);
    return run([this, offsets = std::move(offsets), group = std::move(group)] {
        const PartitionList list(
            rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
        for (const TopicPartitionOffset& offset : offsets) {
            rd_kafka_topic_partition_list_add(list.get(), offset.topic.c_str(), offset.partition)
                ->offset = offset.offset;
        }
        const Owned<rd_kafka_consumer_group_metadata_t> metadata = metadata_of(group);
        const Error error(rd_kafka_send_offsets_to_transaction(producer_.handle(), list.get(),
                                                               metadata.get(), max_block_ms_));
        if (!error) return Result{Outcome<void>(), Phase::in_transaction};
        return Result{failure_of(*error), phase_after(*error, Phase::in_transaction)};
    });
}

void RdkafkaTransactionalProducer::expect_transaction(bool committed) const {
    if (phase_ == Phase::uninitialized || phase_ == Phase::ready) {
        throw std::logic_error("there is no transaction");
    }
    if (phase_ == Phase::unsettled && ends_with_commit_ != committed) {
        throw std::logic_error("the transaction is being ended the other way");
    }
}

asio::awaitable<Outcome<void>> RdkafkaTransactionalProducer::commit() {
    expect_transaction(true);
    return end(true);
}

asio::awaitable<Outcome<void>> RdkafkaTransactionalProducer::abort() {
    expect_transaction(false);
    return end(false);
}

asio::awaitable<Outcome<void>> RdkafkaTransactionalProducer::end(bool committed) {
    ends_with_commit_ = committed;
    return run([this, committed] {
        const Error error(committed
                              ? rd_kafka_commit_transaction(producer_.handle(), max_block_ms_)
                              : rd_kafka_abort_transaction(producer_.handle(), max_block_ms_));
        if (!error) return Result{Outcome<void>(), Phase::ready};
        return Result{failure_of(*error), phase_after(*error, Phase::unsettled)};
    });
}

} // namespace crier::messaging::kafka
