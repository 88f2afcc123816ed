#include "broker-model/kafka/client/transactional_producer.hpp"

#include "broker-model/kafka/client/producer.hpp"

#include <stdexcept>

namespace crier::broker::kafka {

using crier::kafka::GroupMetadata;
using crier::kafka::ProducerRecord;
using crier::kafka::RecordMetadata;
using crier::kafka::TopicPartitionOffset;

namespace {

using SharedSender = std::shared_ptr<ProducerSender>;

Failure failure_of(const ProducerTransactions& transactions) {
    return Failure{make_error_code(transactions.error()), Certainty::failed};
}

bool has_failed(const ProducerTransactions& transactions) {
    return transactions.phase() == TransactionPhase::abortable ||
           transactions.phase() == TransactionPhase::fatal;
}

asio::awaitable<std::vector<Outcome<RecordMetadata>>> refuse(std::size_t count, Failure failure) {
    co_return std::vector<Outcome<RecordMetadata>>(count, failure);
}

asio::awaitable<Outcome<void>> take_id(SharedSender sender) {
    const Outcome<void> outcome = co_await sender->transactions()->take_id();
    if (outcome) sender->take_over_id();
    co_return outcome;
}

asio::awaitable<Outcome<void>> send_committed(SharedSender sender,
                                              std::vector<TopicPartitionOffset> offsets,
                                              GroupMetadata group) {
    const std::shared_ptr<ProducerTransactions> transactions = sender->transactions();
    if (has_failed(*transactions)) co_return failure_of(*transactions);
    const Cluster& cluster = sender->context().cluster();
    std::vector<PartitionOffset> sent;
    for (const TopicPartitionOffset& offset : offsets) {
        const std::optional<PartitionId> id =
            cluster.find_partition(offset.topic, offset.partition);
        if (!id) {
            co_return Failure{make_error_code(ErrorCode::unknown_topic_or_partition),
                              Certainty::failed};
        }
        sent.push_back({*id, offset.offset});
    }
    if (sent.empty()) co_return boost::system::in_place_value;
    const Outcome<void> outcome =
        co_await transactions->send_offsets(std::move(sent), std::move(group));
    co_return outcome;
}

// A commit waits for every record; one that failed turns it down. An abort drops what was not sent,
// and waits for the rest.
asio::awaitable<Outcome<void>> end(SharedSender sender, bool committed) {
    const std::shared_ptr<ProducerTransactions> transactions = sender->transactions();
    if (transactions->phase() != TransactionPhase::unsettled) {
        const bool is_refused = committed ? has_failed(*transactions)
                                          : transactions->phase() == TransactionPhase::fatal;
        if (is_refused) co_return failure_of(*transactions);
        if (!committed) sender->drop_unsent(ErrorCode::transaction_abortable);
        co_await flush_records(sender);
        const bool fails_now = committed ? has_failed(*transactions)
                                         : transactions->phase() == TransactionPhase::fatal;
        if (fails_now) co_return failure_of(*transactions);
    }
    const Outcome<void> outcome = co_await transactions->end(committed);
    if (outcome) {
        sender->take_over_id();
        transactions->tell_ended(committed);
    }
    co_return outcome;
}

} // namespace

SimTransactionalProducer::SimTransactionalProducer(const ClientContext& context,
                                                   crier::kafka::ProducerOptions options)
    : sender_(std::make_shared<ProducerSender>(context, std::move(options))) {
    ensure(sender_->transactions() != nullptr, "a transactional producer has a transactional id");
}

SimTransactionalProducer::~SimTransactionalProducer() {
    sender_->close();
}

asio::awaitable<std::vector<Outcome<RecordMetadata>>>
SimTransactionalProducer::send(std::vector<ProducerRecord> records) {
    const ProducerTransactions& transactions = *sender_->transactions();
    transactions.expect_transaction();
    if (has_failed(transactions)) return refuse(records.size(), failure_of(transactions));
    return send_records(sender_, std::move(records));
}

asio::awaitable<void> SimTransactionalProducer::flush() {
    return flush_records(sender_);
}

asio::awaitable<Outcome<void>> SimTransactionalProducer::init() {
    return take_id(sender_);
}

void SimTransactionalProducer::begin() {
    sender_->transactions()->begin();
}

asio::awaitable<Outcome<void>>
SimTransactionalProducer::send_offsets(std::vector<TopicPartitionOffset> offsets,
                                       GroupMetadata group) {
    sender_->transactions()->expect_transaction();
    return send_committed(sender_, std::move(offsets), std::move(group));
}

asio::awaitable<Outcome<void>> SimTransactionalProducer::commit() {
    sender_->transactions()->expect_end(true);
    return end(sender_, true);
}

asio::awaitable<Outcome<void>> SimTransactionalProducer::abort() {
    sender_->transactions()->expect_end(false);
    return end(sender_, false);
}

TransactionPhase SimTransactionalProducer::phase() const {
    return sender_->transactions()->phase();
}

} // namespace crier::broker::kafka
