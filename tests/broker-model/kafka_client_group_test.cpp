#include "tests/broker-model/kafka_client_fixture.hpp"

#include <set>

namespace crier::broker::kafka::testing {
namespace {

/// Sends a number to each partition in turn, for as long as it lives.
asio::awaitable<void> produce_on(ClientProgram& program, std::int32_t partitions, Duration pause) {
    const auto producer = program.client.producer({});
    for (int at = 0;; ++at) {
        std::vector<ProducerRecord> records;
        records.push_back(record_at("orders", at % partitions, std::to_string(at)));
        const SendOutcomes outcomes = co_await producer->send(std::move(records));
        EXPECT_TRUE(outcomes[0]);
        co_await program.ports.sleep(pause);
    }
}

/// Polls, notes, and commits each batch.
asio::awaitable<void> work(ClientProgram& program, ConsumerOptions options, Duration busy,
                           Seen& seen) {
    options.enable_auto_commit = false;
    NotingListener listener(seen);
    const auto consumer = program.client.consumer(std::move(options));
    consumer->subscribe({"orders"}, &listener);
    for (;;) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        if (polled.has_error()) co_return;
        for (const ConsumerRecord& record : *polled)
            seen.values.push_back(record.value);
        if (polled->empty()) continue;
        if (busy > 0ms) co_await program.ports.sleep(busy);
        std::vector<TopicPartitionOffset> offsets = after(*polled);
        const Outcome<void> outcome = co_await consumer->commit(std::move(offsets));
        seen.commits.push_back(outcome);
    }
}

bool has_note(const Seen& seen, const std::string& note) {
    return std::count(seen.notes.begin(), seen.notes.end(), note) > 0;
}

std::uint64_t text(Farm& farm, const std::string& name) {
    return farm.world.history().name(name);
}

TEST(KafkaClientGroup, TwoMembersShareAndOneTakesOver) {
    Farm farm(1, {topic_of("orders", 4)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 4, 100ms); });
    Seen first;
    Seen second;
    farm.add("billing/1",
             [&](ClientProgram& it) { return work(it, group_options("billing"), 0ms, first); });
    farm.run_for(5s);
    ASSERT_TRUE(has_note(first, "assigned orders/0 orders/1 orders/2 orders/3"));
    sim::Node& other = farm.add("billing/2", [&](ClientProgram& it) {
        return work(it, group_options("billing"), 0ms, second);
    });
    farm.run_for(15s);
    EXPECT_TRUE(has_note(first, "revoked orders/0 orders/1 orders/2 orders/3"));
    const std::string share = first.notes.back();
    EXPECT_TRUE((share == "assigned orders/0 orders/1" &&
                 second.notes.back() == "assigned orders/2 orders/3") ||
                (share == "assigned orders/2 orders/3" &&
                 second.notes.back() == "assigned orders/0 orders/1"))
        << share << " and " << second.notes.back();
    const std::size_t before = second.values.size();
    EXPECT_GT(before, 0u);
    other.crash("test");
    farm.run_for(60s); // its session lasts 45 s
    EXPECT_EQ(first.notes.back(), "assigned orders/0 orders/1 orders/2 orders/3");
    std::set<std::string> all(first.values.begin(), first.values.end());
    all.insert(second.values.begin(), second.values.end());
    for (std::size_t at = 0; at + 20 < all.size(); ++at) {
        ASSERT_TRUE(all.contains(std::to_string(at))) << at << " was never delivered";
    }
}

// A process that was frozen for longer than its session goes on as if it still owned its
// partitions.
// Three members of six partitions, one after another: when the third comes, range moves three,
// a sticky group only the two that the third gets.
TEST(KafkaClientGroup, AStickyGroupMovesNoMoreThanItMust) {
    for (const bool sticky : {false, true}) {
        Farm farm(1, {topic_of("orders", 6)});
        std::vector<Seen> seen(3);
        for (std::size_t at = 0; at < seen.size(); ++at) {
            farm.add("billing/" + std::to_string(at + 1), [&, at](ClientProgram& it) {
                ConsumerOptions options = group_options("billing");
                options.assignors = {sticky ? crier::kafka::Assignor::sticky
                                            : crier::kafka::Assignor::range};
                return work(it, options, 0ms, seen[at]);
            });
            farm.run_for(15s);
        }
        std::size_t moved = 0;
        for (const std::size_t at : {0U, 1U}) {
            const std::vector<std::string>& notes = seen[at].notes;
            ASSERT_GE(notes.size(), 3U);
            const std::string& now = notes.back(); // assigned, revoked, assigned
            const std::string& before = notes[notes.size() - 2];
            for (int index = 0; index < 6; ++index) {
                const std::string name = " orders/" + std::to_string(index);
                const bool had = before.find(name) != std::string::npos;
                moved += had && now.find(name) == std::string::npos ? 1 : 0;
            }
        }
        EXPECT_EQ(moved, sticky ? 2U : 3U);
    }
}

TEST(KafkaClientGroup, AZombiesCommitIsRefused) {
    Farm farm(1, {topic_of("orders", 1)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 50ms); });
    Seen first;
    Seen second;
    ConsumerOptions options = group_options("billing");
    options.session_timeout = 10s;
    sim::Node& zombie =
        farm.add("billing/1", [&](ClientProgram& it) { return work(it, options, 200ms, first); });
    farm.run_for(10s);
    ASSERT_FALSE(first.commits.empty());
    while (first.values.size() == first.commits.size())
        farm.run_for(10ms);
    farm.add_fault(sim::FaultKind::pause, {zombie.id()}, 30s);
    farm.add("billing/2", [&](ClientProgram& it) { return work(it, options, 0ms, second); });
    farm.run_for(25s);
    EXPECT_TRUE(has_note(second, "assigned orders/0"));
    const std::size_t commits = first.commits.size();
    farm.run_for(10s);
    ASSERT_GT(first.commits.size(), commits);
    std::size_t refused = 0;
    for (std::size_t at = commits; at < first.commits.size(); ++at) {
        if (first.commits[at].has_error()) ++refused;
    }
    EXPECT_GE(refused, 1u);
    EXPECT_TRUE(has_note(first, "lost orders/0"));
    EXPECT_FALSE(has_note(first, "revoked orders/0"));
}

TEST(KafkaClientGroup, WhoDoesNotPollLeavesAndLearnsItAtTheNextPoll) {
    Farm farm(1, {topic_of("orders", 1)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 1s); });
    Seen slow;
    Seen other;
    ConsumerOptions options = group_options("billing");
    options.max_poll_interval = 20s;
    farm.add("billing/1", [&](ClientProgram& it) { return work(it, options, 60s, slow); });
    farm.run_for(8s);
    ASSERT_FALSE(slow.values.empty());
    farm.add("billing/2", [&](ClientProgram& it) { return work(it, options, 0ms, other); });
    farm.run_for(32s);
    EXPECT_TRUE(has_note(other, "assigned orders/0"));
    EXPECT_FALSE(other.values.empty()) << "long before the slow one's session of 45 s could end";
    farm.run_for(40s);
    ASSERT_FALSE(slow.commits.empty());
    ASSERT_TRUE(slow.commits[0].has_error());
    EXPECT_EQ(slow.commits[0].error().certainty, Certainty::failed);
    EXPECT_TRUE(has_note(slow, "lost orders/0"));
}

asio::awaitable<void> work_and_close(ClientProgram& program, Seen& seen) {
    NotingListener listener(seen);
    const auto consumer = program.client.consumer(group_options("billing"));
    consumer->subscribe({"orders"}, &listener);
    for (int round = 0; round < 100; ++round) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        for (const ConsumerRecord& record : *polled)
            seen.values.push_back(record.value);
    }
    co_await consumer->close();
    seen.notes.push_back("closed");
}

TEST(KafkaClientGroup, ClosingCommitsGivesBackAndLeaves) {
    Farm farm(1, {topic_of("orders", 1)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 50ms); });
    Seen first;
    Seen second;
    farm.add("billing/1", [&](ClientProgram& it) { return work_and_close(it, first); });
    farm.run_for(20s);
    const std::vector<std::string> notes{"assigned orders/0", "revoked orders/0", "closed"};
    ASSERT_EQ(first.notes, notes);
    farm.add("billing/2",
             [&](ClientProgram& it) { return work(it, group_options("billing"), 0ms, second); });
    farm.run_for(5s);
    ASSERT_FALSE(second.values.empty()) << "no session has to end first";
    EXPECT_EQ(second.values.front(), std::to_string(first.values.size()));
}

TEST(KafkaClientGroup, GoesOnWithTheSameGenerationWhenTheCoordinatorMoves) {
    Farm farm(2, {topic_of("orders", 1)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 50ms); });
    Seen seen;
    farm.add("billing/1",
             [&](ClientProgram& it) { return work(it, group_options("billing"), 0ms, seen); });
    farm.run_for(10s);
    ASSERT_FALSE(seen.commits.empty());
    const sim::Node* const coordinator =
        farm.cluster.leader_of(farm.cluster.offsets_partition("billing"));
    ASSERT_NE(coordinator, nullptr);
    farm.add_fault(sim::FaultKind::crash, {coordinator->id()}, 120s);
    farm.run_for(60s);
    const std::size_t commits = seen.commits.size();
    farm.run_for(10s);
    EXPECT_GT(seen.commits.size(), commits + 10) << "commits go on";
    for (const Outcome<void>& outcome : seen.commits)
        EXPECT_TRUE(outcome);
    EXPECT_EQ(seen.notes, std::vector<std::string>{"assigned orders/0"});
    EXPECT_EQ(farm.count(events::generation_started), 1u);
}

// In the history a partition is never assigned to one member while another holds it and knows of
// it.
TEST(KafkaClientGroup, TellsAssignmentsInOrder) {
    Farm farm(1, {topic_of("orders", 4)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 4, 100ms); });
    std::vector<Seen> seen(3);
    for (std::size_t at = 0; at < seen.size(); ++at) {
        farm.add("billing/" + std::to_string(at + 1), [&, at](ClientProgram& it) {
            return work(it, group_options("billing"), 0ms, seen[at]);
        });
        farm.run_for(7s);
    }
    std::map<std::uint64_t, std::uint32_t> owners;
    const std::uint64_t group = text(farm, "billing");
    for (const sim::Event& event : farm.world.history().events()) {
        if (event.kind == events::assigned.id) {
            EXPECT_EQ(event.operands[1], group);
            EXPECT_TRUE(owners.emplace(event.operands[0], event.node).second);
        } else if (event.kind == events::revoked.id) {
            EXPECT_EQ(owners[event.operands[0]], event.node);
            owners.erase(event.operands[0]);
        } else if (event.kind == events::delivered.id) {
            EXPECT_EQ(owners[event.operands[0]], event.node);
        }
    }
    EXPECT_EQ(owners.size(), 4u);
}

// A member that dies says nothing; the coordinator tells when it goes on without it, by the id
// under which the member was assigned.
TEST(KafkaClientGroup, TellsWhichMemberTheGroupGaveUp) {
    for (const crier::kafka::GroupProtocol protocol :
         {crier::kafka::GroupProtocol::classic, crier::kafka::GroupProtocol::consumer}) {
        Farm farm(1, {topic_of("orders", 1)});
        Seen seen;
        ConsumerOptions options = group_options("billing");
        options.group_protocol = protocol;
        sim::Node& node =
            farm.add("billing/1", [&](ClientProgram& it) { return work(it, options, 0ms, seen); });
        farm.run_for(15s);
        ASSERT_EQ(farm.count(events::assigned), 1u);
        node.crash("test");
        farm.run_for(30s);
        EXPECT_EQ(farm.count(events::member_gone), 0u) << "its session lasts 45 s";
        farm.run_for(30s);
        ASSERT_EQ(farm.count(events::member_gone), 1u);
        std::uint64_t member = 0;
        for (const sim::Event& event : farm.world.history().events()) {
            if (event.kind == events::assigned.id) member = event.operands[3];
            if (event.kind != events::member_gone.id) continue;
            EXPECT_EQ(event.operands[0], text(farm, "billing"));
            EXPECT_EQ(event.operands[1], member);
            EXPECT_EQ(event.operands[2], text(farm, "its session is over"));
        }
    }
}

} // namespace
} // namespace crier::broker::kafka::testing
