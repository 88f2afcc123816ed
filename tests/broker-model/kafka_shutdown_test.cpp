// A broker that is told to stop ends in order: others lead first, and nothing is lost.
#include "broker-model/kafka/broker/broker.hpp"
#include "sim/events.hpp"
#include "tests/broker-model/kafka_client_fixture.hpp"
#include "tests/broker-model/kafka_fixture.hpp"

namespace crier::broker::kafka::testing {
namespace {

using Acks = crier::kafka::Acks;

bool stop(KafkaFixture& kafka, BrokerId broker) {
    sim::Node& node = kafka.cluster.broker(broker);
    node.stop(30s);
    return kafka.run_until([&node] { return !node.is_up(); }, 30s);
}

// Source: A16; Kafka BrokerLifecycleManager.beginControlledShutdown.
TEST(KafkaShutdown, LeadersMoveBeforeTheBrokerEnds) {
    KafkaFixture kafka({make_topic("orders", 3, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    sim::Node& node = kafka.cluster.broker(leader);
    const Instant begun = kafka.world.now();
    node.stop(30s);
    ASSERT_TRUE(kafka.run_until([&] { return kafka.leader(0) != leader; }, 100ms));
    EXPECT_TRUE(node.is_up()) << "it goes when everybody knows";
    EXPECT_NE(kafka.leader(0), 0u);
    ASSERT_TRUE(kafka.run_until([&] { return !node.is_up(); }, 10s));
    EXPECT_LT(kafka.world.now() - begun, 5s);
    EXPECT_TRUE(kafka.log.of(events::leader_gone).empty());
    EXPECT_TRUE(kafka.log.of(events::broker_fenced).empty()) << "no session has to end";
    node.start();
    EXPECT_TRUE(kafka.run_until([&] { return kafka.cluster.is_whole(); }, 30s));
}

asio::awaitable<void> send_on(ClientProgram& program, Duration& longest, int& unsent) {
    const auto producer = program.client.producer({});
    for (int at = 0;; ++at) {
        const Instant begun = program.ports.now();
        std::vector<ProducerRecord> records;
        records.push_back(record_at("orders", 0, std::to_string(at)));
        const SendOutcomes outcomes = co_await producer->send(std::move(records));
        longest = std::max(longest, program.ports.now() - begun);
        if (outcomes.front().has_error()) ++unsent;
        co_await program.ports.sleep(20ms);
    }
}

// Source: A16: sub-second, where a crash takes a session of nine seconds.
TEST(KafkaShutdown, AProducerWaitsLessThanASecond) {
    for (const bool in_order : {true, false}) {
        Farm farm(1, {topic_of("orders", 1)});
        Duration longest{};
        int unsent = 0;
        farm.add("producer", [&](ClientProgram& it) { return send_on(it, longest, unsent); });
        farm.run_for(5s);
        sim::Node* const leader = farm.cluster.leader_of(0);
        const auto kind = in_order ? sim::FaultKind::stop : sim::FaultKind::crash;
        farm.add_fault(kind, {leader->id()}, 20s);
        farm.run_for(40s);
        EXPECT_EQ(unsent, 0);
        if (in_order) {
            EXPECT_LT(longest, 1s);
        } else {
            EXPECT_GT(longest, 5s);
        }
        EXPECT_TRUE(farm.cluster.is_whole());
    }
}

// Source: A5.15, KIP-966: who ended in order has its log, and stays eligible.
TEST(KafkaShutdown, WhoEndedInOrderStaysEligible) {
    for (const bool in_order : {true, false}) {
        ClusterOptions options;
        options.eligible_leader_replicas = true;
        KafkaFixture kafka({make_topic("orders", 1, 3, 2)}, options);
        const BrokerId first = kafka.leader(0);
        const BrokerId second = first % 3 + 1;
        const BrokerId third = second % 3 + 1;
        EXPECT_EQ(kafka.produce(first, 0, {"a"}).error, ErrorCode::none);
        kafka.cluster.broker(third).crash("test");
        kafka.run_for(12s);
        if (in_order) {
            ASSERT_TRUE(stop(kafka, second));
        } else {
            kafka.cluster.broker(second).crash("test");
        }
        kafka.run_for(12s);
        kafka.cluster.broker(first).crash("test");
        kafka.run_for(12s);
        ASSERT_EQ(kafka.leader(0), 0u);
        kafka.cluster.broker(second).start();
        kafka.run_for(12s);
        EXPECT_EQ(kafka.leader(0), in_order ? second : 0u);
        EXPECT_TRUE(kafka.log.of(events::records_lost).empty());
    }
}

// Source: Kafka LogManager.shutdown flushes.
TEST(KafkaShutdown, ItsLogIsOnThePlatterThen) {
    for (const bool in_order : {true, false}) {
        KafkaFixture kafka({make_topic("orders", 1, 1, 1)});
        const BrokerId leader = kafka.leader(0);
        EXPECT_EQ(kafka.produce(leader, 0, {"a"}).error, ErrorCode::none);
        if (in_order) ASSERT_TRUE(stop(kafka, leader));
        kafka.cluster.broker(leader).lose_power(true);
        kafka.cluster.broker(leader).start();
        ASSERT_TRUE(kafka.run_until([&] { return kafka.leader(0) == leader; }, 30s));
        kafka.run_for(1s);
        EXPECT_EQ(kafka.read_all(0).size(), in_order ? 1u : 0u);
        EXPECT_EQ(kafka.log.of(events::records_lost).size(), in_order ? 0u : 1u);
    }
}

} // namespace
} // namespace crier::broker::kafka::testing
