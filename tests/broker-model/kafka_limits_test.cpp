// What buffers, requests, fetches and quotas let through.
#include "broker-model/kafka/broker/client_quota.hpp"
#include "broker-model/kafka/log/partition_log.hpp"
#include "tests/broker-model/kafka_client_fixture.hpp"
#include "tests/broker-model/kafka_fixture.hpp"

namespace crier::broker::kafka::testing {
namespace {

std::vector<ProducerRecord> sized(int count, std::size_t bytes) {
    std::vector<ProducerRecord> records = numbered("orders", count);
    for (ProducerRecord& record : records)
        record.value.assign(bytes, 'x');
    return records;
}

void send(Farm& farm, const std::string& name, std::vector<ProducerRecord> records,
          ProducerOptions options, Sent& sent) {
    farm.add(name, [&sent, records, options](ClientProgram& it) {
        return send_all(it, options, records, sent);
    });
}

TEST(KafkaLimits, ARecordLargerThanARequestFailsAtOnce) {
    Farm farm(1, {topic_of("orders", 1)});
    std::vector<ProducerRecord> records = sized(3, 100);
    records[1].value.assign(2000, 'x');
    ProducerOptions options;
    options.max_request_size = 1000;
    Sent sent;
    send(farm, "producer", records, options, sent);
    farm.run_for(2s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes[0]), "stored");
    EXPECT_EQ(code_of(sent.outcomes[1]), "failed MESSAGE_TOO_LARGE");
    EXPECT_EQ(code_of(sent.outcomes[2]), "stored");
}

TEST(KafkaLimits, ARequestIsNoLargerThanItMayBe) {
    std::vector<std::uint64_t> messages;
    for (const std::size_t size : {std::size_t{1'000}, std::size_t{1'000'000}}) {
        Farm farm(1, {topic_of("orders", 6)});
        std::vector<ProducerRecord> records = sized(12, 300);
        for (std::size_t at = 0; at < records.size(); ++at)
            records[at].partition = static_cast<std::int32_t>(at % 6);
        ProducerOptions options;
        options.max_request_size = size;
        options.batch_size = 800;
        Sent sent;
        send(farm, "producer", records, options, sent);
        farm.run_for(2s);
        EXPECT_EQ(farm.count(events::stored), 12u);
        messages.push_back(farm.world.network().messages());
    }
    EXPECT_GT(messages[0], messages[1]) << "two batches of a leader do not go together";
}

TEST(KafkaLimits, SendersWaitForRoomInTheBuffer) {
    Farm farm(1, {topic_of("orders", 1)});
    ProducerOptions options = one_by_one();
    options.buffer_memory = 1000;
    Sent sent;
    send(farm, "producer", sized(30, 300), options, sent);
    farm.run_for(5s);
    ASSERT_TRUE(sent.finished);
    for (const Outcome<RecordMetadata>& outcome : sent.outcomes)
        EXPECT_EQ(code_of(outcome), "stored");
    std::vector<std::string> expected;
    for (int at = 0; at < 30; ++at)
        expected.push_back(std::to_string(at));
    EXPECT_EQ(stored_in(farm, "orders", 0), expected);
}

asio::awaitable<void> send_twice(ClientProgram& program, ProducerOptions options, Sent& sent) {
    const auto producer = program.client.producer(std::move(options));
    std::vector<ProducerRecord> first = sized(1, 10);
    co_await producer->send(std::move(first));
    co_await program.ports.sleep(1s);
    std::vector<ProducerRecord> records = sized(4, 300);
    sent.outcomes = co_await producer->send(std::move(records));
    sent.finished = true;
}

// Source: A3.2.2.
TEST(KafkaLimits, ARecordWithoutRoomFailsAfterMaxBlock) {
    Farm farm(1, {topic_of("orders", 1)});
    ProducerOptions options = one_by_one();
    options.buffer_memory = 1000;
    options.max_block = 2s;
    options.delivery_timeout = 20s;
    Sent sent;
    sim::Node& node =
        farm.add("producer", [&](ClientProgram& it) { return send_twice(it, options, sent); });
    farm.run_for(500ms);
    farm.add_fault(sim::FaultKind::partition, {node.id()}, 300s);
    farm.run_for(60s);
    ASSERT_TRUE(sent.finished);
    for (const std::size_t at : {0u, 1u})
        EXPECT_EQ(code_of(sent.outcomes[at]), "unknown REQUEST_TIMED_OUT") << "sent, no answer";
    for (const std::size_t at : {2u, 3u})
        EXPECT_EQ(code_of(sent.outcomes[at]), "failed REQUEST_TIMED_OUT") << "never sent";
    EXPECT_EQ(farm.count(events::stored), 1u);
}

struct SmallFetch {
    SmallFetch() : kafka({make_topic("orders", 2, 1, 1)}, one_broker()) {}

    static ClusterOptions one_broker() {
        ClusterOptions options;
        options.brokers = 1;
        return options;
    }

    static FetchRequest request(std::size_t min_bytes, std::size_t max_bytes) {
        FetchRequest request;
        request.max_wait = 2s;
        request.min_bytes = min_bytes;
        request.max_bytes = max_bytes;
        request.partitions.emplace_back().partition = 0;
        request.partitions.emplace_back().partition = 1;
        return request;
    }

    KafkaFixture kafka;
};

TEST(KafkaLimits, AFetchWaitsForItsMinimumOrItsTime) {
    SmallFetch small;
    small.kafka.produce(1, 0, {"a"});
    const auto waiting =
        small.kafka.begin<FetchAnswer>(1, calls::fetch, SmallFetch::request(500, 10'000));
    small.kafka.run_for(1s);
    EXPECT_FALSE(waiting->has_value());
    small.kafka.produce(1, 1, {std::string(600, 'x')});
    small.kafka.run_for(10ms);
    ASSERT_TRUE(waiting->has_value());
    EXPECT_EQ((*waiting)->value().partitions.size(), 2u) << "over all partitions";
    const auto late =
        small.kafka.begin<FetchAnswer>(1, calls::fetch, SmallFetch::request(5000, 10'000));
    small.kafka.run_for(1900ms);
    EXPECT_FALSE(late->has_value());
    small.kafka.run_for(200ms);
    EXPECT_TRUE(late->has_value());
}

// Source: A6.2.
TEST(KafkaLimits, OneBatchArrivesHoweverLargeItIs) {
    SmallFetch small;
    for (const PartitionId partition : {0u, 1u})
        small.kafka.produce(1, partition, {std::string(600, 'x')});
    const auto answer = small.kafka.call<FetchAnswer>(1, calls::fetch, SmallFetch::request(1, 100));
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->partitions.size(), 1u) << "the first one only";
    EXPECT_EQ(answer->partitions.front().batches.size(), 1u);
}

asio::awaitable<void> count_bytes(ClientProgram& program, std::string client_id,
                                  std::size_t& bytes) {
    ConsumerOptions options = group_options("billing-" + client_id);
    options.client_id = client_id;
    const auto consumer = program.client.consumer(options);
    consumer->subscribe({"orders"}, nullptr);
    for (;;) {
        const Outcome<Records> polled = co_await consumer->poll(1s);
        for (const ConsumerRecord& record : *polled)
            bytes += record.value.size();
    }
}

TEST(KafkaQuota, LetsTheRateThroughOverItsWindow) {
    ClientQuota quota(1000);
    const Instant start{100s};
    EXPECT_FALSE(quota.concerns(0));
    EXPECT_EQ(quota.count(1, 10'000, start), Duration{}) << "ten seconds' worth at once";
    EXPECT_EQ(quota.count(1, 2'000, start), 2s);
    EXPECT_EQ(quota.count(2, 2'000, start), Duration{}) << "another client";
    EXPECT_EQ(quota.count(1, 0, start + 20s), Duration{}) << "the window has passed";
    EXPECT_EQ(quota.count(1, 10'000, start + 20s), Duration{});
}

// Source: A14: slower, and without an error.
TEST(KafkaQuota, SlowsAProducerDown) {
    ClusterOptions cluster = quick_cluster();
    cluster.producer_byte_rate = 10'000;
    Farm farm(1, {topic_of("orders", 1)}, cluster);
    ProducerOptions options;
    options.batch_size = 2'000;
    Sent sent;
    const Instant start = farm.world.now();
    send(farm, "producer", sized(300, 1'000), options, sent);
    farm.run_for(60s);
    ASSERT_TRUE(sent.finished);
    EXPECT_GT(sent.done - start, 15s) << "300 kB at 10 kB/s, ten seconds' worth at once";
    EXPECT_LT(sent.done - start, 35s);
    for (const Outcome<RecordMetadata>& outcome : sent.outcomes)
        EXPECT_EQ(code_of(outcome), "stored");
}

TEST(KafkaQuota, SlowsAConsumerDownAndNotItsNeighbour) {
    ClusterOptions cluster = quick_cluster();
    cluster.consumer_byte_rate = 10'000;
    Farm farm(1, {topic_of("orders", 1)}, cluster);
    Sent sent;
    send(farm, "producer", sized(300, 1'000), {}, sent);
    farm.run_for(3s);
    std::size_t first = 0;
    std::size_t second = 0;
    farm.add("first", [&](ClientProgram& it) { return count_bytes(it, "first", first); });
    farm.run_for(10s);
    EXPECT_LT(first, 200'000u);
    EXPECT_GT(first, 50'000u);
    farm.add("second", [&](ClientProgram& it) { return count_bytes(it, "second", second); });
    farm.run_for(2s);
    EXPECT_GT(second, 50'000u) << "it has a quota of its own";
    farm.run_for(40s);
    EXPECT_EQ(first, 300'000u);
}

// Source: A3.4.3: what is known of a producer ends after a day of silence.
TEST(ProducerStates, AreForgottenAfterTheirTime) {
    PartitionLog log;
    auto batch = std::make_shared<RecordBatch>();
    batch->records.emplace_back();
    batch->max_timestamp = 1'000;
    StoredBatch stored;
    stored.batch = batch;
    stored.producer = {7, 0, 5};
    log.append(stored);
    log.forget_producers_before(999);
    EXPECT_EQ(log.producers().judge({7, 0, 5}, 1).copy_at, 0);
    log.forget_producers_before(1'000);
    EXPECT_EQ(log.producers().judge({7, 0, 5}, 1).copy_at, -1) << "the copy is appended";
    EXPECT_EQ(log.producers().judge({7, 0, 9}, 1).error, ErrorCode::none);
}

} // namespace
} // namespace crier::broker::kafka::testing
