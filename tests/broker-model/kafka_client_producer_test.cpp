#include "tests/broker-model/kafka_client_fixture.hpp"

namespace crier::broker::kafka::testing {
namespace {

TEST(KafkaProducer, TellsWhereEachRecordLies) {
    Farm farm(1, {topic_of("orders", 6)});
    Sent sent;
    std::vector<ProducerRecord> records;
    for (const char* key : {"order-1", "order-2", "abc", "order-1"}) {
        records.push_back(record_of("orders", key, std::string("value of ") + key));
    }
    farm.add("app", [&](ClientProgram& it) { return send_all(it, {}, records, sent); });
    farm.run_for(5s);
    ASSERT_TRUE(sent.finished);
    ASSERT_EQ(sent.outcomes.size(), 4u);
    const std::vector<std::int32_t> partitions{4, 3, 3, 4};
    const std::vector<Offset> offsets{0, 0, 1, 1};
    for (std::size_t at = 0; at < 4; ++at) {
        ASSERT_TRUE(sent.outcomes[at]) << code_of(sent.outcomes[at]);
        EXPECT_EQ(sent.outcomes[at]->partition, partitions[at]);
        EXPECT_EQ(sent.outcomes[at]->offset, offsets[at]);
    }
}

asio::awaitable<void> send_twice(ClientProgram& program, ProducerOptions options,
                                 std::vector<Sent>& sent) {
    const auto producer = program.client.producer(std::move(options));
    for (Sent& one : sent) {
        std::vector<ProducerRecord> records = numbered("orders", 1);
        const Instant begun = program.ports.now();
        one.outcomes = co_await producer->send(std::move(records));
        one.done = Instant(program.ports.now() - begun);
        one.finished = true;
    }
}

TEST(KafkaProducer, LingersForMoreBeforeItSends) {
    for (const Duration linger : {Duration(0ms), Duration(200ms)}) {
        Farm farm(1, {topic_of("orders", 1)});
        std::vector<Sent> sent(2);
        ProducerOptions options;
        options.linger = linger;
        farm.add("app", [&](ClientProgram& it) { return send_twice(it, options, sent); });
        farm.run_for(5s);
        ASSERT_TRUE(sent[1].finished);
        EXPECT_GE(sent[1].done.time_since_epoch(), linger);
        EXPECT_LT(sent[1].done.time_since_epoch(), linger + 50ms);
    }
}

asio::awaitable<void> send_in_background(ClientProgram& program,
                                         std::shared_ptr<crier::kafka::Producer> producer,
                                         Sent& sent) {
    std::vector<ProducerRecord> records = numbered("orders", 1);
    sent.outcomes = co_await producer->send(std::move(records));
    sent.done = program.ports.now();
    sent.finished = true;
}

asio::awaitable<void> flush_early(ClientProgram& program, Sent& first, Sent& second) {
    ProducerOptions options;
    options.linger = 10s;
    const std::shared_ptr<crier::kafka::Producer> producer = program.client.producer(options);
    program.ports.spawn("first", send_in_background(program, producer, first));
    co_await program.ports.sleep(1s);
    co_await producer->flush();
    EXPECT_TRUE(first.finished);
    EXPECT_LT(program.ports.now() - Instant{}, 8s) << "before the linger was over";
    program.ports.spawn("second", send_in_background(program, producer, second));
    co_await program.ports.sleep(5s);
    EXPECT_FALSE(second.finished) << "a flush is for what was there";
}

TEST(KafkaProducer, FlushWaitsForNoLinger) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent first;
    Sent second;
    farm.add("app", [&](ClientProgram& it) { return flush_early(it, first, second); });
    farm.run_for(30s);
    EXPECT_TRUE(first.finished);
    EXPECT_TRUE(second.finished);
}

TEST(KafkaProducer, ARetriedBatchMayBeOvertakenWithFiveInFlight) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    ProducerOptions options = one_by_one();
    options.enable_idempotence = false;
    sim::Node& app = farm.add("app", [&](ClientProgram& it) {
        return send_all(it, options, numbered("orders", 3), sent);
    });
    farm.add_call_fault(sim::FaultKind::drop_request, app, calls::produce, 1);
    farm.run_for(10s);
    ASSERT_TRUE(sent.finished);
    for (const auto& outcome : sent.outcomes)
        EXPECT_TRUE(outcome) << code_of(outcome);
    EXPECT_EQ(stored_in(farm, "orders", 0), (std::vector<std::string>{"1", "2", "0"}));
}

TEST(KafkaProducer, KeepsOrderWithOneInFlight) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    ProducerOptions options = one_by_one();
    options.max_in_flight = 1;
    sim::Node& app = farm.add("app", [&](ClientProgram& it) {
        return send_all(it, options, numbered("orders", 3), sent);
    });
    farm.add_call_fault(sim::FaultKind::drop_request, app, calls::produce, 1);
    farm.run_for(10s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(stored_in(farm, "orders", 0), (std::vector<std::string>{"0", "1", "2"}));
}

TEST(KafkaProducer, ALostAnswerMakesADuplicate) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    ProducerOptions options = one_by_one();
    options.enable_idempotence = false;
    sim::Node& app = farm.add("app", [&](ClientProgram& it) {
        return send_all(it, options, numbered("orders", 1), sent);
    });
    farm.add_call_fault(sim::FaultKind::lose_answer, app, calls::produce, 1);
    farm.run_for(10s);
    ASSERT_TRUE(sent.finished);
    ASSERT_TRUE(sent.outcomes[0]) << code_of(sent.outcomes[0]);
    EXPECT_EQ(sent.outcomes[0]->offset, 1);
    EXPECT_EQ(stored_in(farm, "orders", 0), (std::vector<std::string>{"0", "0"}));
}

TEST(KafkaProducer, ALostAnswerWithoutRetriesIsUnknown) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    ProducerOptions options = one_by_one();
    options.retries = 0;
    sim::Node& app = farm.add("app", [&](ClientProgram& it) {
        return send_all(it, options, numbered("orders", 1), sent);
    });
    farm.add_call_fault(sim::FaultKind::lose_answer, app, calls::produce, 1);
    farm.run_for(10s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes[0]), "unknown NETWORK_EXCEPTION");
    EXPECT_EQ(stored_in(farm, "orders", 0).size(), 1u);
}

asio::awaitable<void> send_late(ClientProgram& program, ProducerOptions options, Sent& sent) {
    const auto producer = program.client.producer(std::move(options));
    std::vector<ProducerRecord> warm = numbered("orders", 1);
    const SendOutcomes warmed = co_await producer->send(std::move(warm));
    EXPECT_TRUE(warmed[0]);
    co_await program.ports.sleep(10s);
    const Instant begun = program.ports.now();
    std::vector<ProducerRecord> records = numbered("orders", 1);
    sent.outcomes = co_await producer->send(std::move(records));
    sent.done = Instant(program.ports.now() - begun);
    sent.finished = true;
}

TEST(KafkaProducer, WhatWasSentIntoAPartitionIsUnknownWhenItsTimeIsOver) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    ProducerOptions options;
    options.request_timeout = 2s;
    options.delivery_timeout = 7s;
    sim::Node& app =
        farm.add("app", [&](ClientProgram& it) { return send_late(it, options, sent); });
    farm.run_for(5s);
    farm.add_fault(sim::FaultKind::partition, {app.id()}, 60s);
    farm.run_for(30s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes[0]), "unknown REQUEST_TIMED_OUT");
    EXPECT_EQ(sent.done, Instant{7s});
}

// The leader that appended it is deposed before it can answer: it says "not leader" as if nothing
// were there, and its follower has the records.
TEST(KafkaProducer, WhatADeposedLeaderAnswersIsUnknown) {
    Farm farm(3, {topic_of("orders", 1, 3)});
    Sent sent;
    ProducerOptions options = one_by_one();
    options.retries = 0;
    options.request_timeout = 60s;
    options.delivery_timeout = 90s;
    sim::Node& app =
        farm.add("app", [&](ClientProgram& it) { return send_late(it, options, sent); });
    farm.run_for(5s);
    const sim::Node& leader = *farm.cluster.leader_of(farm.cluster.partition(0, 0));
    sim::FaultSpec cut;
    cut.kind = sim::FaultKind::partition;
    cut.nodes = {leader.id()};
    for (std::uint32_t id = 1; id <= farm.world.node_count(); ++id) {
        if (id != leader.id() && id != app.id()) cut.peers.push_back(id);
    }
    cut.trigger.at = farm.world.now() + 1ns;
    cut.duration = 20s;
    farm.world.faults().add(std::move(cut));
    farm.run_for(60s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes[0]), "unknown NOT_LEADER_OR_FOLLOWER");
}

TEST(KafkaProducer, WhatTooFewReplicasRefuseHasFailed) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    ProducerOptions options;
    options.delivery_timeout = 20s;
    options.request_timeout = 2s;
    farm.add("app", [&](ClientProgram& it) { return send_late(it, options, sent); });
    farm.run_for(1s);
    const PartitionId partition = farm.cluster.partition(0, 0);
    const sim::Node* const leader = farm.cluster.leader_of(partition);
    ASSERT_NE(leader, nullptr);
    for (BrokerId id = 1; id <= 3; ++id) {
        sim::Node& broker = farm.cluster.broker(id);
        if (broker.id() != leader->id()) {
            farm.add_fault(sim::FaultKind::crash, {broker.id()}, 300s);
        }
    }
    farm.run_for(60s);
    ASSERT_TRUE(sent.finished);
    // Until the dead replicas leave the set in sync, the leader appends and waits for them.
    EXPECT_EQ(code_of(sent.outcomes[0]), "failed REQUEST_TIMED_OUT");
}

TEST(KafkaProducer, FailsWhenNoBrokerTellsItAnything) {
    Farm farm(1, {topic_of("orders", 1)});
    for (BrokerId id = 1; id <= 3; ++id) {
        farm.add_fault(sim::FaultKind::crash, {farm.cluster.broker(id).id()}, 600s);
    }
    farm.run_for(1s);
    Sent sent;
    const Instant begun = farm.world.now();
    farm.add("app",
             [&](ClientProgram& it) { return send_all(it, {}, numbered("orders", 2), sent); });
    farm.run_for(120s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes[1]), "failed REQUEST_TIMED_OUT");
    EXPECT_EQ(sent.done - begun, 60s) << "max.block.ms";
}

TEST(KafkaProducer, ATopicThatIsNotThereFailsAloneAfterMaxBlock) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    std::vector<ProducerRecord> records = numbered("orders", 1);
    records.push_back(record_at("nowhere", 0, "lost"));
    records.push_back(record_at("orders", 7, "lost"));
    farm.add("app", [&](ClientProgram& it) { return send_all(it, {}, records, sent); });
    farm.run_for(120s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes[0]), "stored");
    EXPECT_EQ(code_of(sent.outcomes[1]), "failed REQUEST_TIMED_OUT");
    EXPECT_EQ(code_of(sent.outcomes[2]), "failed REQUEST_TIMED_OUT");
}

TEST(KafkaProducer, WithoutAcksSuccessIsSaidAtOnceWithoutAnOffset) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    ProducerOptions options = one_by_one();
    options.acks = crier::kafka::Acks::none;
    sim::Node& app = farm.add("app", [&](ClientProgram& it) {
        return send_all(it, options, numbered("orders", 2), sent);
    });
    farm.add_call_fault(sim::FaultKind::drop_request, app, calls::produce, 1);
    farm.run_for(60s);
    ASSERT_TRUE(sent.finished);
    ASSERT_TRUE(sent.outcomes[0]);
    EXPECT_EQ(sent.outcomes[0]->offset, -1);
    EXPECT_EQ(stored_in(farm, "orders", 0), std::vector<std::string>{"1"}) << "the first was lost";
}

TEST(KafkaProducer, FollowsTheLeaderThatMoved) {
    Farm farm(3, {topic_of("orders", 1)});
    Sent sent;
    farm.add("app", [&](ClientProgram& it) { return send_late(it, {}, sent); });
    farm.run_for(5s);
    const sim::Node* const leader = farm.cluster.leader_of(farm.cluster.partition(0, 0));
    ASSERT_NE(leader, nullptr);
    farm.add_fault(sim::FaultKind::crash, {leader->id()}, 300s);
    farm.run_for(60s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes[0]), "stored");
    EXPECT_LT(sent.done, Instant{12s}) << "the session of the dead leader ends after 9 s";
}

TEST(KafkaProducer, StaysWithOnePartitionWhileABatchFills) {
    Farm farm(1, {topic_of("orders", 6)});
    Sent sent;
    std::vector<ProducerRecord> records;
    for (int at = 0; at < 400; ++at) {
        records.push_back(record_of("orders", std::nullopt, std::string(993, 'x')));
    }
    farm.add("app", [&](ClientProgram& it) { return send_all(it, {}, records, sent); });
    farm.run_for(10s);
    ASSERT_TRUE(sent.finished);
    std::map<std::int32_t, int> runs;
    std::int32_t last = -1;
    int length = 0;
    for (const auto& outcome : sent.outcomes) {
        ASSERT_TRUE(outcome);
        if (outcome->partition != last) {
            if (last >= 0) {
                EXPECT_GE(length, 16) << "one batch at least";
            }
            ++runs[outcome->partition];
            last = outcome->partition;
            length = 0;
        }
        ++length;
    }
    EXPECT_GE(runs.size(), 3u) << "all partitions get their share in the long run";
}

} // namespace
} // namespace crier::broker::kafka::testing
