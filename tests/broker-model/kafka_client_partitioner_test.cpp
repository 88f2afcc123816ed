#include "broker-model/kafka/client/producer_accumulator.hpp"
#include "broker-model/kafka/client/producer_partitioner.hpp"
#include "tests/broker-model/kafka_client_fixture.hpp"

namespace crier::broker::kafka::testing {
namespace {

struct KeyCase {
    const char* key;
    std::int32_t of_2, of_3, of_6, of_12;
};

// Computed with the Java client's classes.
constexpr KeyCase key_cases[] = {
    {"", 1, 0, 3, 9},
    {"21", 0, 0, 0, 0},
    {"foobar", 0, 0, 0, 6},
    {"a-little-bit-long-string", 0, 2, 2, 8},
    {"a-little-bit-longer-string", 1, 2, 5, 11},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", 1, 2, 5, 5},
    {"abc", 1, 0, 3, 3},
    {"kafka", 0, 1, 4, 4},
    {"1234", 0, 0, 0, 0},
    {"4", 1, 1, 1, 1},
    {"key", 1, 1, 1, 1},
    {"a", 0, 1, 4, 4},
    {"b", 0, 2, 2, 8},
    {"order-1", 0, 1, 4, 10},
    {"order-2", 1, 0, 3, 3},
    {"customer-42", 1, 0, 3, 9},
};

TEST(KafkaPartitioner, SendsKeysWhereTheJavaClientDoes) {
    for (const KeyCase& it : key_cases) {
        EXPECT_EQ(partition_for_key(it.key, 2), it.of_2) << it.key;
        EXPECT_EQ(partition_for_key(it.key, 3), it.of_3) << it.key;
        EXPECT_EQ(partition_for_key(it.key, 6), it.of_6) << it.key;
        EXPECT_EQ(partition_for_key(it.key, 12), it.of_12) << it.key;
    }
}

TEST(KafkaPartitioner, PrefersShortQueues) {
    const std::vector<PartitionLoad> loads{{0, 0}, {1, 3}, {2, 1}};
    ASSERT_EQ(total_weight(loads), 8u);
    const std::vector<std::int32_t> expected{0, 0, 0, 0, 1, 2, 2, 2};
    for (std::uint64_t number = 0; number < 8; ++number) {
        EXPECT_EQ(pick_by_load(number, loads), expected[number]) << number;
    }
}

TEST(KafkaPartitioner, StaysUntilABatchIsFilledAndThenSwitches) {
    sim::World world(options_for(1));
    Cluster cluster(world, quick_cluster(), {topic_of("events", 8)});
    sim::NodeOptions options;
    options.name = "app";
    options.entry = [](sim::Node&) { return std::make_unique<sim::Program>(); };
    sim::Node& node = world.add_node(std::move(options));
    node.start();
    sim::ProcessPorts ports(node);
    StickyPartitions sticky(ClientContext(cluster, node, ports, 1), 1000);
    std::vector<PartitionLoad> loads;
    for (std::int32_t index = 0; index < 8; ++index)
        loads.push_back({index, 0});

    std::vector<std::int32_t> chosen;
    for (int round = 0; round < 20; ++round) {
        ASSERT_TRUE(sticky.wants_choice(0));
        sticky.choose(0, loads);
        chosen.push_back(sticky.index(0));
        sticky.note_bytes(0, 999, true);
        EXPECT_FALSE(sticky.wants_choice(0)) << "not full yet";
        sticky.note_bytes(0, 1, false);
        EXPECT_FALSE(sticky.wants_choice(0)) << "a batch still takes records";
        sticky.note_bytes(0, 1000, false);
        EXPECT_TRUE(sticky.wants_choice(0)) << "twice the batch size forces it";
    }
    EXPECT_NE(std::count(chosen.begin(), chosen.end(), chosen.front()), 20);
}

struct AccumulatorTest : ::testing::Test {
    AccumulatorTest() {
        options.batch_size = 400;
        options.linger = 5ms;
    }
    void append(ProducerAccumulator& accumulator, PartitionId partition, std::size_t bytes,
                Instant now) {
        Record record;
        record.value = std::string(bytes, 'x');
        const std::size_t size = wire_bytes(record);
        accumulator.append(partition, std::move(record), size, now, call, place++, 0);
        call->outcomes.resize(place, Failure{});
    }

    sim::World world{options_for(1)};
    ProducerOptions options;
    std::shared_ptr<SendCall> call = std::make_shared<SendCall>(world.process());
    std::uint32_t place = 0;
};

TEST_F(AccumulatorTest, ABatchIsReadyWhenItLingeredLongEnough) {
    ProducerAccumulator accumulator(4, options);
    const Instant start{1s};
    append(accumulator, 2, 100, start);
    append(accumulator, 2, 100, start + 3ms);
    ASSERT_EQ(accumulator.active().size(), 1u);
    EXPECT_EQ(accumulator.queued(2), 1u);
    EXPECT_EQ(accumulator.ready_at(2), start + 5ms);
    EXPECT_EQ(accumulator.take(2)->records->records.size(), 2u);
    EXPECT_TRUE(accumulator.active().empty());
}

TEST_F(AccumulatorTest, AFullBatchIsReadyAtOnceAndTheNextRecordBeginsAnother) {
    ProducerAccumulator accumulator(4, options);
    const Instant start{1s};
    append(accumulator, 0, 300, start);
    EXPECT_EQ(accumulator.ready_at(0), start + 5ms);
    append(accumulator, 0, 300, start + 1ms);
    EXPECT_EQ(accumulator.queued(0), 2u);
    EXPECT_EQ(accumulator.ready_at(0), start);
    EXPECT_FALSE(accumulator.is_full(0)) << "the second takes more";
}

TEST_F(AccumulatorTest, ARecordLargerThanABatchGoesAlone) {
    ProducerAccumulator accumulator(4, options);
    append(accumulator, 0, 5000, Instant{1s});
    EXPECT_TRUE(accumulator.is_full(0));
    EXPECT_EQ(accumulator.take(0)->records->records.size(), 1u);
}

TEST_F(AccumulatorTest, ARetriedBatchGoesToTheFrontAndTakesNoMoreRecords) {
    ProducerAccumulator accumulator(4, options);
    append(accumulator, 0, 10, Instant{1s});
    std::unique_ptr<ProducerBatch> first = accumulator.take(0);
    append(accumulator, 0, 20, Instant{1s});
    first->attempts = 1;
    first->retry_at = Instant{2s};
    accumulator.put_back(std::move(first));
    append(accumulator, 0, 30, Instant{1s});
    EXPECT_EQ(accumulator.queued(0), 2u);
    EXPECT_EQ(accumulator.ready_at(0), Instant{2s}) << "the others wait behind its backoff";
    EXPECT_EQ(accumulator.take(0)->records->records.front().value.size(), 10u);
    EXPECT_EQ(accumulator.take(0)->records->records.size(), 2u);
}

TEST_F(AccumulatorTest, TakesExpiredBatchesOnly) {
    ProducerAccumulator accumulator(4, options);
    append(accumulator, 0, 390, Instant{1s});
    append(accumulator, 0, 390, Instant{2s});
    append(accumulator, 3, 390, Instant{1s});
    EXPECT_EQ(accumulator.take_expired(Instant{1s}).size(), 2u);
    EXPECT_EQ(accumulator.queued(0), 1u);
    EXPECT_EQ(accumulator.oldest(0), Instant{2s});
    EXPECT_EQ(accumulator.active().size(), 1u);
}

} // namespace
} // namespace crier::broker::kafka::testing
