#include "tests/broker-model/kafka_member_programs.hpp"

// Members of the new consumer protocol (KIP-848) with the client library.

namespace crier::broker::kafka::testing {
namespace {

ConsumerOptions new_protocol(std::string instance = "") {
    ConsumerOptions options = group_options("billing");
    options.group_protocol = crier::kafka::GroupProtocol::consumer;
    options.group_instance_id = std::move(instance);
    return options;
}

TEST(KafkaConsumerProtocol, TwoMembersShareAndOneTakesOver) {
    Farm farm(1, {topic_of("orders", 4)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 4, 20ms); });
    Seen first;
    Seen second;
    farm.add("billing/1", [&](ClientProgram& it) { return work(it, new_protocol(), first); });
    farm.run_for(5s);
    EXPECT_EQ(first.notes,
              (std::vector<std::string>{"assigned orders/0 orders/1 orders/2 orders/3"}));
    sim::Node& other =
        farm.add("billing/2", [&](ClientProgram& it) { return work(it, new_protocol(), second); });
    farm.run_for(20s);
    EXPECT_EQ(first.notes, (std::vector<std::string>{"assigned orders/0 orders/1 orders/2 orders/3",
                                                     "revoked orders/2 orders/3", "assigned "}));
    EXPECT_EQ(second.notes, (std::vector<std::string>{"assigned orders/2 orders/3"}));
    EXPECT_GT(second.values.size(), 0u);
    other.crash("test");
    farm.run_for(60s); // its session lasts 45 s
    EXPECT_EQ(first.notes.back(), "assigned orders/2 orders/3");
    EXPECT_EQ(check_owners(farm.world).size(), 4u);
    for (const Outcome<void>& outcome : first.commits)
        EXPECT_TRUE(outcome);
    std::set<std::string> all(first.values.begin(), first.values.end());
    all.insert(second.values.begin(), second.values.end());
    for (std::size_t at = 0; at + 200 < all.size(); ++at)
        ASSERT_TRUE(all.contains(std::to_string(at))) << at << " was never delivered";
}

TEST(KafkaConsumerProtocol, WhoWasAwayTooLongLosesEverythingAndComesBack) {
    Farm farm(1, {topic_of("orders", 2)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 2, 50ms); });
    Seen first;
    Seen second;
    sim::Node& zombie =
        farm.add("billing/1", [&](ClientProgram& it) { return work(it, new_protocol(), first); });
    farm.run_for(10s);
    farm.add_fault(sim::FaultKind::pause, {zombie.id()}, 60s);
    farm.add("billing/2", [&](ClientProgram& it) { return work(it, new_protocol(), second); });
    farm.run_for(58s);
    EXPECT_EQ(second.notes.back(), "assigned orders/0 orders/1");
    farm.run_for(30s);
    ASSERT_EQ(first.notes.size(), 3u);
    EXPECT_EQ(first.notes[1], "lost orders/0 orders/1");
    EXPECT_TRUE(first.notes[2].starts_with("assigned orders/")) << first.notes[2];
}

/// Polls quickly fifty times, is busy once, and goes on.
asio::awaitable<void> stall_once(ClientProgram& program, ConsumerOptions options, Duration busy,
                                 Seen& seen) {
    NotingListener listener(seen);
    const auto consumer = program.client.consumer(std::move(options));
    consumer->subscribe({"orders"}, &listener);
    for (int at = 0;; ++at) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        if (polled.has_error()) seen.notes.push_back(polled.error().code.message());
        if (polled.has_error()) co_return;
        if (at == 50) co_await program.ports.sleep(busy);
    }
}

TEST(KafkaConsumerProtocol, WhoDoesNotPollLeavesAndLearnsItAtTheNextPoll) {
    Farm farm(1, {topic_of("orders", 2)});
    Seen slow;
    Seen other;
    ConsumerOptions options = new_protocol();
    options.max_poll_interval = 20s;
    farm.add("billing/1", [&](ClientProgram& it) { return stall_once(it, options, 60s, slow); });
    farm.run_for(8s);
    farm.add("billing/2", [&](ClientProgram& it) { return work(it, options, other); });
    farm.run_for(32s);
    EXPECT_EQ(other.notes.back(), "assigned orders/0 orders/1") << "no session has ended";
    farm.run_for(45s);
    ASSERT_GE(slow.notes.size(), 3u);
    EXPECT_EQ(slow.notes[0], "assigned orders/0 orders/1");
    EXPECT_EQ(slow.notes[1], "lost orders/0 orders/1");
    EXPECT_TRUE(slow.notes[2].starts_with("assigned orders/"));
}

/// Commits automatically and closes after a while.
asio::awaitable<void> read_and_close(ClientProgram& program, ConsumerOptions options, int polls,
                                     Seen& seen) {
    NotingListener listener(seen);
    const auto consumer = program.client.consumer(std::move(options));
    consumer->subscribe({"orders"}, &listener);
    for (int at = 0; at < polls; ++at) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        for (const ConsumerRecord& record : *polled)
            seen.values.push_back(record.value);
    }
    co_await consumer->close();
}

TEST(KafkaConsumerProtocol, ClosingCommitsGivesBackAndLeaves) {
    Farm farm(1, {topic_of("orders", 1)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 50ms); });
    Seen first;
    Seen second;
    farm.add("billing/1",
             [&](ClientProgram& it) { return read_and_close(it, new_protocol(), 100, first); });
    farm.run_for(20s);
    EXPECT_EQ(first.notes, (std::vector<std::string>{"assigned orders/0", "revoked orders/0"}));
    farm.add("billing/2", [&](ClientProgram& it) { return work(it, new_protocol(), second); });
    farm.run_for(5s);
    ASSERT_FALSE(second.values.empty()) << "no session has to end first";
    EXPECT_EQ(second.values.front(), std::to_string(first.values.size()));
}

TEST(KafkaConsumerProtocol, AutoCommitsBeforeItGivesBack) {
    Farm farm(1, {topic_of("orders", 2)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 2, 50ms); });
    Seen first;
    Seen second;
    ConsumerOptions options = new_protocol();
    options.auto_commit_interval = 1h;
    farm.add("billing/1", [&](ClientProgram& it) { return stall_once(it, options, 0s, first); });
    farm.run_for(10s);
    farm.add("billing/2", [&](ClientProgram& it) { return work(it, new_protocol(), second); });
    farm.run_for(15s);
    ASSERT_FALSE(second.values.empty());
    EXPECT_GT(std::stoi(second.values.front()), 100) << "it goes on where the first stopped";
}

TEST(KafkaConsumerProtocol, AStaticMemberThatClosesFindsItsPartitions) {
    Farm farm(1, {topic_of("orders", 4)});
    std::vector<Seen> seen(2);
    std::vector<sim::Node*> nodes;
    for (std::size_t at = 0; at < 2; ++at) {
        const std::string name = "billing-" + std::to_string(at + 1);
        nodes.push_back(&farm.add(name, [&, at, name](ClientProgram& it) {
            return at == 0 ? read_and_close(it, new_protocol(name), 200, seen[at])
                           : stall_once(it, new_protocol(name), 0s, seen[at]);
        }));
    }
    farm.run_for(24s);
    ASSERT_FALSE(seen[0].notes.empty());
    ASSERT_EQ(seen[0].notes.back().substr(0, 7), "revoked");
    const std::string held = seen[0].notes.back().substr(8);
    const std::size_t others = seen[1].notes.size();
    nodes[0]->crash("it has ended");
    nodes[0]->start();
    farm.run_for(8s);
    EXPECT_EQ(seen[0].notes.back(), "assigned " + held);
    EXPECT_EQ(seen[1].notes.size(), others) << "nobody else noticed";
}

TEST(KafkaConsumerProtocol, OfTwoWithOneNameTheSecondIsRefused) {
    Farm farm(1, {topic_of("orders", 2)});
    Seen first;
    Seen second;
    farm.add("a", [&](ClientProgram& it) { return stall_once(it, new_protocol("x"), 0s, first); });
    farm.run_for(10s);
    farm.add("b", [&](ClientProgram& it) { return stall_once(it, new_protocol("x"), 0s, second); });
    farm.run_for(10s);
    EXPECT_EQ(first.notes, (std::vector<std::string>{"assigned orders/0 orders/1"}));
    EXPECT_EQ(second.notes, (std::vector<std::string>{"UNRELEASED_INSTANCE_ID"}));
}

TEST(KafkaConsumerProtocol, GoesOnWhenTheCoordinatorMoves) {
    Farm farm(2, {topic_of("orders", 2)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 2, 50ms); });
    Seen seen;
    farm.add("billing/1", [&](ClientProgram& it) { return work(it, new_protocol(), seen); });
    farm.run_for(10s);
    const sim::Node* const coordinator =
        farm.cluster.leader_of(farm.cluster.offsets_partition("billing"));
    farm.add_fault(sim::FaultKind::crash, {coordinator->id()}, 120s);
    farm.run_for(60s);
    const std::size_t commits = seen.commits.size();
    farm.run_for(10s);
    EXPECT_GT(seen.commits.size(), commits + 10);
    EXPECT_EQ(seen.notes, std::vector<std::string>{"assigned orders/0 orders/1"});
}

TEST(KafkaConsumerProtocol, NobodyIsGivenWhatAnotherHolds) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed)
        EXPECT_EQ(come_and_go(seed, new_protocol()), 5u) << "seed " << seed;
}

} // namespace
} // namespace crier::broker::kafka::testing
