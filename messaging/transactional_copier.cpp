#include "messaging/transactional_copier.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace crier::messaging {

using kafka::ConsumerRecord;
using kafka::Offset;
using kafka::ProducerRecord;
using kafka::TopicPartition;
using kafka::TopicPartitionOffset;
using kafka::TransactionPhase;

namespace {

/// Returns where the records of each partition begin.
std::vector<TopicPartitionOffset> firsts_of(const std::vector<ConsumerRecord>& records) {
    std::map<TopicPartition, Offset> firsts;
    for (const ConsumerRecord& record : records)
        firsts.try_emplace({record.topic, record.partition}, record.offset);
    std::vector<TopicPartitionOffset> positions;
    for (const auto& [partition, offset] : firsts)
        positions.push_back({partition.topic, partition.partition, offset});
    return positions;
}

/// Returns where reading goes on behind them.
std::vector<TopicPartitionOffset> ends_of(const std::vector<ConsumerRecord>& records) {
    std::map<TopicPartition, Offset> ends;
    for (const ConsumerRecord& record : records)
        ends[{record.topic, record.partition}] = record.offset + 1;
    std::vector<TopicPartitionOffset> positions;
    for (const auto& [partition, offset] : ends)
        positions.push_back({partition.topic, partition.partition, offset});
    return positions;
}

} // namespace

std::vector<std::string> CopierOptions::validate() const {
    std::vector<std::string> problems;
    if (from.empty()) problems.emplace_back("from: at least one topic is needed");
    if (producer.transactional_id.empty()) {
        problems.emplace_back("producer.transactional-id must not be empty");
    }
    if (consumer.enable_auto_commit) {
        problems.emplace_back("consumer.enable-auto-commit must be off: the transaction commits");
    }
    if (backoff <= Duration::zero()) problems.emplace_back("backoff must be positive");
    return problems;
}

TransactionalCopier::TransactionalCopier(ProcessPorts ports, kafka::Client& client,
                                         CopierOptions options, CopyFunction function)
    : ports_(ports), client_(client), options_(std::move(options)), function_(std::move(function)),
      finished_(ports.background.executor()) {
    ensure(options_.validate().empty(), "invalid copier options");
}

asio::awaitable<void> TransactionalCopier::run() {
    ensure(!running_ && !finished_.is_open(), "a copier runs once");
    running_ = true;
    while (!stopping_) {
        const bool may_write = producer_ && producer_->phase() != TransactionPhase::fatal &&
                               producer_->phase() != TransactionPhase::uninitialized;
        if (!may_write) {
            const bool has_begun = co_await begin_producing();
            if (!has_begun) co_await ports_.clock.sleep(options_.backoff);
            continue;
        }
        Outcome<std::vector<ConsumerRecord>> polled = co_await consumer_->poll(options_.poll_wait);
        if (!polled) {
            co_await ports_.clock.sleep(options_.backoff);
        } else if (!polled->empty()) {
            co_await copy(std::move(*polled));
        }
    }
    if (consumer_) co_await consumer_->close();
    running_ = false;
    finished_.open();
}

asio::awaitable<void> TransactionalCopier::stop() {
    stopping_ = true;
    if (running_) co_await finished_.wait();
}

// First what was left open is ended; then reading begins at what is committed, for how the last
// transaction ended may not be known here.
asio::awaitable<bool> TransactionalCopier::begin_producing() {
    const bool is_new = !producer_ || producer_->phase() == TransactionPhase::fatal;
    if (is_new) producer_ = client_.transactional_producer(options_.producer);
    const Outcome<void> taken = co_await producer_->init();
    if (!taken) co_return false;
    if (consumer_) co_await consumer_->close();
    consumer_ = client_.consumer(options_.consumer);
    consumer_->subscribe(options_.from, nullptr);
    co_return true;
}

asio::awaitable<void> TransactionalCopier::copy(std::vector<ConsumerRecord> records) {
    ports_.observer.reached(copier_points[0]);
    const std::vector<TopicPartitionOffset> firsts = firsts_of(records);
    std::vector<TopicPartitionOffset> positions = ends_of(records);
    std::vector<ProducerRecord> written;
    for (ConsumerRecord& record : records) {
        for (ProducerRecord& following : function_(std::move(record)))
            written.push_back(std::move(following));
    }
    producer_->begin();
    const bool is_written = co_await write(std::move(written), std::move(positions));
    if (is_written) {
        ports_.observer.reached(copier_points[1]);
        const bool is_committed = co_await end(true);
        if (is_committed) {
            ports_.observer.reached(copier_points[2]);
            co_return;
        }
    }
    if (producer_->phase() == TransactionPhase::abortable ||
        producer_->phase() == TransactionPhase::in_transaction) {
        const bool is_aborted = co_await end(false);
        if (!is_aborted) co_await ports_.clock.sleep(options_.backoff);
    }
    const bool is_over = producer_->phase() == TransactionPhase::fatal;
    if (!is_over && options_.after_abort == AfterAbort::rewind) rewind(firsts);
}

asio::awaitable<bool> TransactionalCopier::write(std::vector<ProducerRecord> records,
                                                 std::vector<TopicPartitionOffset> positions) {
    // The commit would fail with the first record that did.
    const std::vector<Outcome<kafka::RecordMetadata>> sent =
        co_await producer_->send(std::move(records));
    for (const Outcome<kafka::RecordMetadata>& outcome : sent) {
        if (!outcome) co_return false;
    }
    kafka::GroupMetadata group = consumer_->group_metadata();
    if (options_.fence == CopierFence::none) {
        group = {};
        group.group_id = options_.consumer.group_id;
    }
    const Outcome<void> added =
        co_await producer_->send_offsets(std::move(positions), std::move(group));
    co_return added.has_value();
}

// Without an answer the verdict is open, and only the same call again can tell it.
asio::awaitable<bool> TransactionalCopier::end(bool committed) {
    for (;;) {
        const Outcome<void> ended =
            committed ? co_await producer_->commit() : co_await producer_->abort();
        if (ended) co_return true;
        if (producer_->phase() != TransactionPhase::unsettled) co_return false;
    }
}

void TransactionalCopier::rewind(const std::vector<TopicPartitionOffset>& firsts) {
    const std::vector<TopicPartition> held = consumer_->assignment();
    for (const TopicPartitionOffset& first : firsts) {
        const TopicPartition partition{first.topic, first.partition};
        if (std::find(held.begin(), held.end(), partition) == held.end()) continue;
        consumer_->seek(partition, first.offset);
    }
}

} // namespace crier::messaging
