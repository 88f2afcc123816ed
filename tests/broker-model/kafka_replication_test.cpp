#include <gtest/gtest.h>

#include "broker-model/kafka/record_ledger.hpp"
#include "tests/broker-model/kafka_fixture.hpp"

#include <algorithm>
#include <set>

namespace crier::broker::kafka {
namespace {

using crier::kafka::Acks;
using std::chrono::milliseconds;
using std::chrono::seconds;

using Values = std::vector<std::string>;

std::size_t stored_count(const KafkaFixture& kafka) {
    return kafka.log.of(events::stored).size();
}

void cut_off(KafkaFixture& kafka, sim::Node& node, std::vector<std::uint32_t> peers,
             Duration time) {
    sim::FaultSpec spec;
    spec.kind = sim::FaultKind::partition;
    spec.nodes = {node.id()};
    spec.peers = std::move(peers);
    spec.trigger.at = kafka.world.now();
    spec.duration = time;
    kafka.world.faults().add(spec);
}

TEST(KafkaReplication, AcksAllIsStoredOnAllAndTheLeaderTellsItOnce) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    const ProducePartitionAnswer answer = kafka.produce(leader, 0, {"a", "b"});
    EXPECT_EQ(answer.error, ErrorCode::none);
    EXPECT_EQ(answer.base_offset, 0);
    EXPECT_EQ(kafka.produce(leader, 0, {"c"}).base_offset, 2);
    EXPECT_EQ(kafka.read_all(0), (Values{"a", "b", "c"}));
    EXPECT_EQ(stored_count(kafka), 3u);
}

TEST(KafkaReplication, AFollowerRefusesProducersAndConsumers) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId other = kafka.leader(0) % 3 + 1;
    EXPECT_EQ(kafka.produce(other, 0, {"a"}).error, ErrorCode::not_leader_or_follower);
    EXPECT_EQ(kafka.fetch(other, 0, 0).error, ErrorCode::not_leader_or_follower);
}

TEST(KafkaReplication, FetchChecksEpochAndRange) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    EXPECT_EQ(kafka.fetch(leader, 0, 0, 7).error, ErrorCode::unknown_leader_epoch);
    EXPECT_EQ(kafka.fetch(leader, 0, 1).error, ErrorCode::offset_out_of_range);
    EXPECT_EQ(kafka.fetch(leader, 0, 0, 0).error, ErrorCode::none);
}

TEST(KafkaReplication, AConsumerWaitsUntilTheRecordIsStored) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    FetchRequest request;
    request.max_wait = seconds(5);
    request.partitions.emplace_back().partition = 0;
    const auto waiting = kafka.begin<FetchAnswer>(leader, calls::fetch, request);
    kafka.run_for(seconds(1));
    EXPECT_FALSE(waiting->has_value());
    kafka.produce(leader, 0, {"a"});
    kafka.run_for(milliseconds(10));
    ASSERT_TRUE(waiting->has_value());
    EXPECT_EQ((*waiting)->value().partitions.front().batches.size(), 1u);
}

TEST(KafkaReplication, TooFewInSyncRefuseAcksAllBeforeTheAppend) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 3)});
    const BrokerId leader = kafka.leader(0);
    kafka.cluster.broker(leader % 3 + 1).crash("test");
    kafka.run_for(seconds(12));
    EXPECT_EQ(kafka.produce(leader, 0, {"a"}).error, ErrorCode::not_enough_replicas);
    EXPECT_EQ(kafka.produce(leader, 0, {"b"}, Acks::leader).error, ErrorCode::none);
    EXPECT_TRUE(kafka.read_all(0).empty()) << "invisible while too few are in sync";
    kafka.cluster.broker(leader % 3 + 1).start();
    kafka.run_for(seconds(5));
    EXPECT_EQ(kafka.read_all(0), (Values{"b"}));
}

TEST(KafkaReplication, TheIsrShrinksUnderAWaitingProduce) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 3)});
    const BrokerId leader = kafka.leader(0);
    kafka.cluster.broker(leader % 3 + 1).crash("test");
    const auto waiting = kafka.begin_produce(leader, 0, {"a"}, Acks::all, seconds(40));
    kafka.run_for(seconds(30));
    EXPECT_FALSE(waiting->has_value()) << "what is appended waits on";
    EXPECT_EQ(kafka.produce(leader, 0, {"b"}).error, ErrorCode::not_enough_replicas);
    EXPECT_EQ(stored_count(kafka), 0u);
    EXPECT_EQ(kafka.finish<ProduceAnswer>(waiting)->partitions.front().error,
              ErrorCode::request_timed_out);
}

TEST(KafkaReplication, AProduceTimesOutByItsOwnTime) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    kafka.cluster.broker(leader % 3 + 1).crash("test");
    const Instant before = kafka.world.now();
    EXPECT_EQ(kafka.produce(leader, 0, {"a"}, Acks::all, seconds(3)).error,
              ErrorCode::request_timed_out);
    EXPECT_GE(kafka.world.now() - before, seconds(3));
    EXPECT_LT(kafka.world.now() - before, seconds(4));
}

// Source: Kafka's documentation of acks=1: acknowledged records are lost when the leader fails at
// once.
TEST(KafkaReplication, AcksOneIsLostWithItsLeader) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    std::vector<std::uint32_t> others;
    for (BrokerId id = 1; id <= 3; ++id) {
        if (id != leader) others.push_back(kafka.cluster.broker(id).id());
    }
    kafka.produce(leader, 0, {"kept"});
    cut_off(kafka, kafka.cluster.broker(leader), others, seconds(30));
    kafka.run_for(milliseconds(1));
    EXPECT_EQ(kafka.produce(leader, 0, {"lost"}, Acks::leader).error, ErrorCode::none);
    kafka.cluster.broker(leader).crash("test");
    kafka.run_for(seconds(12));
    const BrokerId next = kafka.leader(0);
    ASSERT_NE(next, leader);
    EXPECT_EQ(kafka.produce(next, 0, {"new"}).error, ErrorCode::none);
    kafka.run_for(seconds(20));
    kafka.cluster.broker(leader).start();
    kafka.run_for(seconds(40));
    EXPECT_TRUE(kafka.cluster.is_whole());
    // It cut what only it had: as the leader again it shows what the others have.
    kafka.cluster.broker(next).crash("test");
    kafka.run_for(seconds(12));
    EXPECT_EQ(kafka.read_all(0), (Values{"kept", "new"}));
    EXPECT_TRUE(kafka.log.of(events::records_lost).empty()) << "it was never stored";
}

TEST(KafkaReplication, ADeposedLeaderAnswersUntilItLearnsButStoresNothing) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    std::vector<std::uint32_t> others{kafka.cluster.controller().id()};
    for (BrokerId id = 1; id <= 3; ++id) {
        if (id != leader) others.push_back(kafka.cluster.broker(id).id());
    }
    cut_off(kafka, kafka.cluster.broker(leader), others, seconds(20));
    kafka.run_for(seconds(12));
    const BrokerId next = kafka.leader(0);
    ASSERT_NE(next, leader);
    EXPECT_EQ(kafka.produce(leader, 0, {"zombie"}, Acks::leader).error, ErrorCode::none);
    const auto waiting = kafka.begin_produce(leader, 0, {"zombie-2"});
    EXPECT_EQ(kafka.produce(next, 0, {"new"}).error, ErrorCode::none);
    EXPECT_EQ(kafka.finish<ProduceAnswer>(waiting)->partitions.front().error,
              ErrorCode::not_leader_or_follower);
    kafka.run_for(seconds(40));
    EXPECT_EQ(kafka.read_all(0), (Values{"new"}));
    EXPECT_TRUE(kafka.cluster.is_whole());
}

TEST(KafkaReplication, AcksAllSurvivesTheDeathOfTheLeader) {
    KafkaFixture kafka({make_topic("orders", 2, 3, 2)});
    for (int round = 0; round < 3; ++round) {
        const BrokerId leader = kafka.leader(0);
        ASSERT_EQ(kafka.produce(leader, 0, {std::to_string(round)}).error, ErrorCode::none);
        kafka.cluster.broker(leader).crash("test");
        kafka.run_for(seconds(12));
        kafka.cluster.broker(leader).start();
        ASSERT_TRUE(kafka.run_until([&] { return kafka.cluster.is_whole(); }, seconds(60)));
    }
    EXPECT_EQ(kafka.read_all(0), (Values{"0", "1", "2"}));
    EXPECT_EQ(stored_count(kafka), 3u);
}

TEST(KafkaReplication, TheLastReplicaMayComeBackWithLessAndThatIsTold) {
    std::size_t lost = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        KafkaFixture kafka({make_topic("orders", 1, 1, 1)}, {}, seed);
        const BrokerId leader = kafka.leader(0);
        for (int at = 0; at < 10; ++at)
            kafka.produce(leader, 0, {std::to_string(at)});
        kafka.cluster.broker(leader).lose_power();
        kafka.run_for(seconds(12));
        EXPECT_EQ(kafka.produce(leader, 0, {"x"}).error, ErrorCode::network_exception);
        kafka.cluster.broker(leader).start();
        kafka.run_for(seconds(2));
        const std::size_t left = kafka.read_all(0).size();
        lost += left < 10 ? 1 : 0;
        EXPECT_EQ(kafka.log.of(events::records_lost).size(), left < 10 ? 1u : 0u);
        EXPECT_EQ(kafka.cluster.ledger().stored_end(0), static_cast<Offset>(left));
    }
    EXPECT_GT(lost, 5u);
}

TEST(KafkaReplication, FlushedRecordsSurviveAPowerLoss) {
    ClusterOptions options;
    options.flush_interval = 1;
    KafkaFixture kafka({make_topic("orders", 1, 1, 1)}, options);
    const BrokerId leader = kafka.leader(0);
    for (int at = 0; at < 10; ++at)
        kafka.produce(leader, 0, {std::to_string(at)});
    kafka.cluster.broker(leader).lose_power();
    kafka.cluster.broker(leader).start();
    kafka.run_for(seconds(2));
    EXPECT_EQ(kafka.read_all(0).size(), 10u);
}

// Two of three in sync: whatever one machine forgets, nothing stored is lost, and no record twice.
TEST(KafkaReplication, PowerLossOfOneOfThreeLosesNothingStored) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        KafkaFixture kafka({make_topic("orders", 1, 3, 2)}, {}, seed);
        constexpr sim::Purpose victim_draw{"test.victim"};
        constexpr sim::Purpose pause_draw{"test.pause"};
        std::vector<PendingCall<ProduceAnswer>> calls;
        std::uint64_t next = 0;
        for (std::uint64_t round = 0; round < 2; ++round) {
            for (int at = 0; at < 10; ++at) {
                const BrokerId leader = std::max<BrokerId>(kafka.leader(0), 1);
                calls.push_back(kafka.begin_produce(leader, 0, {std::to_string(next++)}));
                kafka.run_for(milliseconds(1));
            }
            const sim::Draw victim = kafka.world.random().draw(victim_draw, round);
            sim::Node& node = kafka.cluster.broker(static_cast<BrokerId>(victim.below(3) + 1));
            node.lose_power();
            const sim::Draw pause = kafka.world.random().draw(pause_draw, round);
            kafka.run_for(pause.between(milliseconds(1), seconds(15)));
            node.start();
            ASSERT_TRUE(kafka.run_until([&] { return kafka.cluster.is_whole(); }, seconds(60)))
                << "seed " << seed;
        }
        kafka.run_for(seconds(1));
        ASSERT_TRUE(kafka.log.of(events::records_lost).empty()) << "seed " << seed;
        const Values seen = kafka.read_all(0);
        const std::set<std::string> distinct(seen.begin(), seen.end());
        EXPECT_EQ(distinct.size(), seen.size()) << "seed " << seed;
        EXPECT_EQ(stored_count(kafka), seen.size()) << "seed " << seed;
        for (std::size_t at = 0; at < calls.size(); ++at) {
            const bool acked = calls[at]->has_value() && **calls[at] &&
                               (**calls[at])->partitions.front().error == ErrorCode::none;
            EXPECT_TRUE(!acked || distinct.contains(std::to_string(at))) << "seed " << seed;
        }
        ASSERT_FALSE(kafka.world.broken()) << kafka.world.broken()->what;
    }
}

TEST(KafkaReplication, AnUncleanElectionLosesWhatTheNewLeaderLacks) {
    TopicOptions topic = make_topic("orders", 1, 2, 1);
    topic.unclean_leader_election = true;
    KafkaFixture kafka({topic});
    const BrokerId leader = kafka.leader(0);
    const BrokerId other = leader % 3 + 1; // round robin: the next broker has the second replica
    kafka.produce(leader, 0, {"both"});
    kafka.cluster.broker(other).crash("test");
    kafka.run_for(seconds(12));
    EXPECT_EQ(kafka.produce(leader, 0, {"alone"}).error, ErrorCode::none);
    kafka.cluster.broker(leader).crash("test");
    kafka.run_for(seconds(12));
    kafka.cluster.broker(other).start();
    kafka.run_for(seconds(2));
    EXPECT_EQ(kafka.leader(0), other);
    EXPECT_EQ(kafka.read_all(0), (Values{"both"}));
    EXPECT_EQ(kafka.log.of(events::records_lost).size(), 1u);
}

TEST(KafkaReplication, AnIdleClusterIsNearlyFree) {
    KafkaFixture kafka({make_topic("orders", 12, 3, 2)});
    kafka.run_for(seconds(5));
    const std::uint64_t before = kafka.world.kernel().steps();
    kafka.run_for(seconds(10));
    // Six pairs of brokers, a long poll each half second: a request, a look at its time, an answer.
    EXPECT_LT(kafka.world.kernel().steps() - before, 6u * 20 * 4);
}

} // namespace
} // namespace crier::broker::kafka
