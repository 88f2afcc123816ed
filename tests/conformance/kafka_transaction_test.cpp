#include "messaging/kafka/client.hpp"
#include "tests/conformance/mock_cluster.hpp"
#include "tests/conformance/real_process.hpp"

#include <gtest/gtest.h>
#include <stdexcept>

// The transactional producer over librdkafka against its mock cluster: phases, ends, fencing. The
// mock writes no markers and knows no isolation, so what readers see is not compared here.

namespace crier::conformance {
namespace {

using kafka::ErrorCode;
using kafka::ProducerOptions;
using kafka::ProducerRecord;
using kafka::TransactionalProducer;
using kafka::TransactionPhase;

class KafkaTransactions : public ::testing::Test {
protected:
    KafkaTransactions()
        : client_(process_.ports().background, process_.ports().clock, cluster_.client_options()) {
        cluster_.create_topic("orders", 2);
    }

    [[nodiscard]] std::unique_ptr<TransactionalProducer> producer(const std::string& id) {
        ProducerOptions options;
        options.linger = std::chrono::milliseconds(1);
        options.transactional_id = id;
        options.max_block = std::chrono::seconds(20);
        return client_.transactional_producer(options);
    }

    MockCluster cluster_;
    RealProcess process_;
    messaging::kafka::RdkafkaClient client_;
};

std::vector<ProducerRecord> some(const std::string& value) {
    std::vector<ProducerRecord> records(2);
    for (int partition = 0; partition < 2; ++partition) {
        ProducerRecord& record = records[static_cast<std::size_t>(partition)];
        record.topic = "orders";
        record.partition = partition;
        record.value = value;
    }
    return records;
}

asio::awaitable<void> commit_and_abort(TransactionalProducer& producer) {
    EXPECT_EQ(producer.phase(), TransactionPhase::uninitialized);
    EXPECT_THROW(producer.begin(), std::logic_error);
    const Outcome<void> taken = co_await producer.init();
    EXPECT_TRUE(taken);
    EXPECT_THROW((void)producer.commit(), std::logic_error);
    for (const bool commits : {true, false}) {
        producer.begin();
        EXPECT_EQ(producer.phase(), TransactionPhase::in_transaction);
        std::vector<ProducerRecord> records = some("a");
        const auto outcomes = co_await producer.send(std::move(records));
        for (const auto& outcome : outcomes)
            EXPECT_TRUE(outcome);
        std::vector<kafka::TopicPartitionOffset> offsets{{"orders", 0, 1}};
        kafka::GroupMetadata group;
        group.group_id = "copiers";
        const Outcome<void> sent = co_await producer.send_offsets(std::move(offsets), group);
        EXPECT_TRUE(sent);
        const Outcome<void> ended =
            commits ? co_await producer.commit() : co_await producer.abort();
        EXPECT_TRUE(ended);
        EXPECT_EQ(producer.phase(), TransactionPhase::ready);
    }
}

TEST_F(KafkaTransactions, CommitsAndAborts) {
    const auto one = producer("copy");
    process_.run(commit_and_abort(*one));
}

asio::awaitable<void> end_too_late(TransactionalProducer& producer) {
    const Outcome<void> taken = co_await producer.init();
    EXPECT_TRUE(taken);
    producer.begin();
    std::vector<ProducerRecord> records = some("late");
    const auto sent = co_await producer.send(std::move(records));
    EXPECT_TRUE(sent.front());
    const Outcome<void> ended = co_await producer.commit();
    EXPECT_FALSE(ended);
    EXPECT_EQ(producer.phase(), TransactionPhase::fatal);
}

// The mock gives ids without looking who had them; what the real one answers is put into its mouth.
TEST_F(KafkaTransactions, AFencedProducerIsOver) {
    const auto producer_of_before = producer("same");
    cluster_.fail_next(end_txn_request, {RD_KAFKA_RESP_ERR_PRODUCER_FENCED});
    process_.run(end_too_late(*producer_of_before));
}

} // namespace
} // namespace crier::conformance
