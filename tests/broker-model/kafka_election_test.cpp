// Who may lead, what a new leader knows, and what its readers make of it.
#include "broker-model/kafka/broker/broker.hpp"
#include "broker-model/kafka/controller/election.hpp"
#include "tests/broker-model/kafka_client_fixture.hpp"
#include "tests/broker-model/kafka_fixture.hpp"

#include <set>

namespace crier::broker::kafka::testing {
namespace {

using crier::kafka::Acks;

PartitionState three_replicas() {
    PartitionState state;
    state.leader = 1;
    state.leader_epoch = 0;
    state.partition_epoch = 0;
    state.replicas = state.isr = {1, 2, 3};
    return state;
}

struct Living {
    std::set<BrokerId> brokers{1, 2, 3};
    [[nodiscard]] IsLive judge() const {
        return [this](BrokerId broker) { return brokers.contains(broker); };
    }
};

using Brokers = std::vector<BrokerId>;

// Source: KIP-966.
TEST(KafkaElection, WhoLeavesATooSmallIsrMayLead) {
    ElectionRules rules;
    rules.eligible_leader_replicas = true;
    rules.min_insync = 2;
    Living living;
    PartitionState state = three_replicas();
    living.brokers.erase(2);
    EXPECT_TRUE(elect(state, 2, rules, living.judge()));
    EXPECT_EQ(state.isr, (Brokers{1, 3}));
    EXPECT_TRUE(state.elr.empty()) << "two are enough";
    living.brokers.erase(3);
    elect(state, 3, rules, living.judge());
    EXPECT_EQ(state.isr, Brokers{1});
    EXPECT_EQ(state.elr, Brokers{3});
    living.brokers.erase(1);
    elect(state, 1, rules, living.judge());
    EXPECT_TRUE(state.isr.empty());
    EXPECT_EQ(state.elr, (Brokers{1, 3}));
    EXPECT_EQ(state.leader, 0u);
    living.brokers.insert(2);
    EXPECT_FALSE(elect(state, 0, rules, living.judge())) << "it lacks what was stored since";
    living.brokers.insert(3);
    EXPECT_TRUE(elect(state, 0, rules, living.judge()));
    EXPECT_EQ(state.leader, 3u);
    EXPECT_EQ(state.isr, Brokers{3});
    EXPECT_EQ(state.elr, Brokers{1});
    const Brokers before = std::exchange(state.isr, {2, 3});
    note_eligible(state, before, rules);
    EXPECT_TRUE(state.elr.empty());
}

TEST(KafkaElection, AnUncleanEndCostsTheEligibilityAndTheLastLeaderIsTakenAtLast) {
    ElectionRules rules;
    rules.eligible_leader_replicas = true;
    rules.min_insync = 2;
    Living living;
    PartitionState state = three_replicas();
    for (const BrokerId broker : {2u, 3u, 1u}) {
        living.brokers.erase(broker);
        elect(state, broker, rules, living.judge());
    }
    EXPECT_EQ(state.last_known_leader, 1u);
    EXPECT_TRUE(forget_unclean(state, 3, rules));
    living.brokers.insert(3);
    EXPECT_FALSE(elect(state, 0, rules, living.judge()));
    EXPECT_TRUE(forget_unclean(state, 1, rules));
    living.brokers.insert(1);
    EXPECT_TRUE(elect(state, 0, rules, living.judge()));
    EXPECT_EQ(state.leader, 1u);
    EXPECT_EQ(state.isr, Brokers{1});
}

TEST(KafkaElection, WithoutEligibleReplicasTheLastMemberAloneMayLead) {
    const ElectionRules rules;
    Living living;
    PartitionState state = three_replicas();
    for (const BrokerId broker : {2u, 3u, 1u}) {
        living.brokers.erase(broker);
        elect(state, broker, rules, living.judge());
    }
    EXPECT_EQ(state.isr, Brokers{1});
    EXPECT_EQ(state.leader, 0u);
    living.brokers.insert(3);
    EXPECT_FALSE(elect(state, 0, rules, living.judge()));
    living.brokers.insert(1);
    EXPECT_TRUE(elect(state, 0, rules, living.judge()));
    EXPECT_EQ(state.leader, 1u);
}

void cut_off(KafkaFixture& kafka, BrokerId broker, Duration time) {
    sim::FaultSpec spec;
    spec.kind = sim::FaultKind::partition;
    spec.nodes = {kafka.cluster.broker(broker).id()};
    spec.trigger.at = kafka.world.now();
    spec.duration = time;
    kafka.world.faults().add(spec);
}

// The last in sync dies while one that was only cut off, with all that is stored, comes back.
TEST(KafkaElection, AnEligibleReplicaSavesThePartition) {
    for (const bool eligible : {true, false}) {
        ClusterOptions options;
        options.eligible_leader_replicas = eligible;
        KafkaFixture kafka({make_topic("orders", 1, 3, 2)}, options);
        const BrokerId leader = kafka.leader(0);
        const BrokerId second = leader % 3 + 1;
        const BrokerId third = second % 3 + 1;
        EXPECT_EQ(kafka.produce(leader, 0, {"a"}).error, ErrorCode::none);
        cut_off(kafka, second, 300s);
        kafka.run_for(15s);
        cut_off(kafka, third, 30s);
        kafka.run_for(15s);
        kafka.cluster.broker(leader).crash("test");
        kafka.run_for(30s);
        EXPECT_EQ(kafka.leader(0), eligible ? third : 0u);
        if (eligible) EXPECT_EQ(kafka.fetch(third, 0, 0).error, ErrorCode::none);
        EXPECT_TRUE(kafka.log.of(events::records_lost).empty());
    }
}

// Source: A5.12.
TEST(KafkaElection, TheFirstReplicaLeadsAgainInTheEnd) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    kafka.cluster.broker(leader).crash("test");
    kafka.run_for(15s);
    EXPECT_NE(kafka.leader(0), leader);
    kafka.cluster.broker(leader).start();
    kafka.run_for(60s);
    EXPECT_NE(kafka.leader(0), leader) << "it takes its time";
    kafka.run_for(300s);
    EXPECT_EQ(kafka.leader(0), leader);
    EXPECT_EQ(kafka.produce(leader, 0, {"a"}).error, ErrorCode::none);
}

// Source: A5.8, KIP-207: a new leader's watermark may be older than what was told to readers.
TEST(KafkaElection, ANewLeaderDoesNotKnowTheEndBeforeItsFollowersFetch) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    const BrokerId second = leader % 3 + 1;
    const auto replica = [&](BrokerId broker) {
        return Broker::on(kafka.cluster.broker(broker))->replicas().find(0);
    };
    kafka.begin_produce(leader, 0, {"a"});
    ASSERT_TRUE(kafka.run_until([&] { return replica(second)->log->end() == 1; }, 1s));
    kafka.cluster.broker(leader).crash("test");
    cut_off(kafka, second % 3 + 1, 60s); // nobody tells the new leader how far it may go
    ASSERT_TRUE(kafka.run_until([&] { return replica(second)->leads(); }, 30s));
    ASSERT_EQ(replica(second)->high_watermark, 0);
    ListOffsetsRequest latest;
    ReplicaManager& replicas = Broker::on(kafka.cluster.broker(second))->replicas();
    EXPECT_EQ(replicas.list_offsets(latest).error, ErrorCode::offset_not_available);
    ListOffsetsRequest earliest;
    earliest.timestamp = earliest_timestamp;
    EXPECT_EQ(replicas.list_offsets(earliest).offset, 0);
}

// Source: KIP-227: a follower's first fetch of a session is answered with all its partitions. A
// coordinator that leads next would otherwise not know of commits that were stored long ago.
TEST(KafkaElection, AFollowerThatComesBackIsToldTheWatermark) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    const BrokerId second = leader % 3 + 1;
    ASSERT_EQ(kafka.produce(leader, 0, {"a"}).error, ErrorCode::none);
    kafka.cluster.broker(second).crash("test");
    kafka.run_for(1s);
    kafka.cluster.broker(second).start();
    kafka.run_for(5s); // without another record
    const Replica& replica = *Broker::on(kafka.cluster.broker(second))->replicas().find(0);
    ASSERT_EQ(replica.log->end(), 1);
    EXPECT_EQ(replica.high_watermark, 1);
}

// Source: A5.13.
TEST(KafkaElection, TheWatermarkIsKeptEveryFiveSeconds) {
    PartitionLog log;
    for (int at = 0; at < 10; ++at) {
        StoredBatch stored;
        stored.base_offset = log.end();
        stored.batch = KafkaFixture::batch({"x"});
        log.append(stored);
    }
    log.note_high_watermark(3, Instant{10s});
    log.note_high_watermark(5, Instant{14s});
    EXPECT_EQ(log.kept_high_watermark(), 3);
    log.note_high_watermark(7, Instant{15s});
    EXPECT_EQ(log.kept_high_watermark(), 7);
    log.truncate(6);
    EXPECT_EQ(log.kept_high_watermark(), 6) << "no further than the log";
}

asio::awaitable<void> read_on(ClientProgram& program, Seen& seen) {
    const auto consumer = program.client.consumer(group_options("billing"));
    consumer->subscribe({"orders"}, nullptr);
    for (;;) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        for (const ConsumerRecord& record : *polled)
            seen.values.push_back(record.value);
    }
}

void produce(Farm& farm, const std::string& name, const std::string& value) {
    Sent sent;
    std::vector<ProducerRecord> records{record_at("orders", 0, value)};
    farm.add(name, [&sent, records](ClientProgram& it) {
        return send_all(it, one_by_one(), records, sent);
    });
    farm.run_for(6s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes.front()), "stored");
}

// Source: A5.11, KIP-320: without the question the reader would skip what took the place of the
// records that it had read.
TEST(KafkaElection, AReaderGoesBackToWhereTheLogDiverged) {
    TopicOptions topic = topic_of("orders", 1, 2, 1);
    topic.unclean_leader_election = true;
    Farm farm(1, {topic});
    const sim::Node* const leader = farm.cluster.leader_of(0);
    const BrokerId first = leader->id() - farm.cluster.broker(1).id() + 1;
    const BrokerId other = first % 3 + 1;
    Seen seen;
    produce(farm, "producer-1", "both");
    farm.cluster.broker(other).crash("test");
    farm.run_for(12s);
    farm.add("billing", [&](ClientProgram& it) { return read_on(it, seen); });
    produce(farm, "producer-2", "alone-1");
    produce(farm, "producer-3", "alone-2");
    farm.run_for(5s);
    ASSERT_EQ(seen.values.size(), 3u);
    farm.cluster.broker(first).crash("test");
    farm.run_for(12s);
    farm.cluster.broker(other).start();
    farm.run_for(1s);
    for (const char* value : {"new-1", "new-2", "new-3"})
        produce(farm, value, value);
    farm.run_for(10s);
    EXPECT_EQ(seen.values,
              (std::vector<std::string>{"both", "alone-1", "alone-2", "new-1", "new-2", "new-3"}));
}

} // namespace
} // namespace crier::broker::kafka::testing
