#include "tests/broker-model/kafka_member_programs.hpp"

// Share groups (KIP-932) with the client library: a topic as a queue.

namespace crier::broker::kafka::testing {
namespace {

using crier::kafka::AcknowledgementMode;
using crier::kafka::AcknowledgementOutcome;
using crier::kafka::AcknowledgeType;
using crier::kafka::ShareConsumerOptions;
using crier::kafka::ShareRecord;
using ShareRecords = std::vector<ShareRecord>;

ClusterOptions from_the_start() {
    ClusterOptions options = quick_cluster();
    options.share.auto_offset_reset = crier::kafka::OffsetReset::earliest;
    return options;
}

ShareConsumerOptions share_options(bool is_explicit) {
    ShareConsumerOptions options;
    options.group_id = "jobs";
    if (is_explicit) options.acknowledgement_mode = AcknowledgementMode::explicit_each;
    return options;
}

/// What a share consumer has seen; outlives its lives.
struct Worked {
    std::vector<std::string> values;       ///< In the order of delivery.
    std::map<std::string, int> deliveries; ///< The last delivery count, by value.
    std::vector<std::string> notes;
};

/// Says what becomes of a record.
using Verdict = std::function<AcknowledgeType(const ShareRecord&)>;

void note(Worked& worked, const ShareRecord& record) {
    worked.values.push_back(record.record.value);
    worked.deliveries[record.record.value] = record.delivery_count;
}

/// Acknowledges each record as told and commits.
asio::awaitable<void> share_work(ClientProgram& program, Verdict verdict, Worked& worked) {
    const auto consumer = program.client.share_consumer(share_options(true));
    consumer->subscribe({"orders"});
    for (;;) {
        const Outcome<ShareRecords> polled = co_await consumer->poll(100ms);
        if (polled.has_error()) co_return;
        for (const ShareRecord& record : *polled) {
            note(worked, record);
            consumer->acknowledge(record, verdict(record));
        }
        const std::vector<AcknowledgementOutcome> outcomes = co_await consumer->commit();
        for (const AcknowledgementOutcome& one : outcomes) {
            if (one.outcome.has_error()) {
                worked.notes.push_back(one.outcome.error().code.message());
            }
        }
    }
}

AcknowledgeType accept_all(const ShareRecord&) {
    return AcknowledgeType::accept;
}

TEST(KafkaShareGroup, ManyWorkOnOnePartitionAndEachRecordIsDoneOnce) {
    Farm farm(1, {topic_of("orders", 1)}, from_the_start());
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 10ms); });
    std::vector<Worked> worked(3);
    for (std::size_t at = 0; at < worked.size(); ++at) {
        farm.add("worker/" + std::to_string(at + 1),
                 [&, at](ClientProgram& it) { return share_work(it, accept_all, worked[at]); });
    }
    farm.run_for(20s);
    std::map<std::string, int> times;
    std::size_t busy = 0;
    for (const Worked& one : worked) {
        EXPECT_TRUE(one.notes.empty()) << one.notes.front();
        busy += one.values.size() > 100 ? 1 : 0;
        for (const std::string& value : one.values)
            ++times[value];
    }
    EXPECT_EQ(busy, 3u) << "of one partition";
    const std::size_t stored = farm.count(events::stored);
    EXPECT_GT(stored, 1000u);
    EXPECT_GT(times.size() + 100, stored) << "they keep up";
    for (std::size_t at = 0; at + 100 < times.size(); ++at)
        ASSERT_EQ(times[std::to_string(at)], 1) << at;
}

TEST(KafkaShareGroup, WhatIsReleasedComesAgainAndWhatFailsTooOftenIsDropped) {
    Farm farm(1, {topic_of("orders", 1)}, from_the_start());
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 50ms); });
    Worked worked;
    const Verdict verdict = [](const ShareRecord& record) {
        if (record.record.value == "3") return AcknowledgeType::release;
        if (record.record.value == "5") return AcknowledgeType::reject;
        const bool is_first = record.record.value == "7" && record.delivery_count == 1;
        return is_first ? AcknowledgeType::release : AcknowledgeType::accept;
    };
    farm.add("worker", [&](ClientProgram& it) { return share_work(it, verdict, worked); });
    farm.run_for(20s);
    const auto times = [&worked](const std::string& value) {
        return std::count(worked.values.begin(), worked.values.end(), value);
    };
    EXPECT_EQ(times("3"), 5) << "the delivery count limit";
    EXPECT_EQ(worked.deliveries["3"], 5);
    EXPECT_EQ(times("5"), 1);
    EXPECT_EQ(times("7"), 2);
    EXPECT_EQ(times("8"), 1);
}

TEST(KafkaShareGroup, WhatADeadMemberHadComesAgainWhenItsLocksEnd) {
    Farm farm(1, {topic_of("orders", 1)}, from_the_start());
    Worked dead;
    Worked other;
    sim::Node& node = farm.add("worker/1", [&](ClientProgram& it) {
        return share_work(
            it, [](const ShareRecord&) { return AcknowledgeType::renew; }, dead);
    });
    Sent sent;
    farm.add("producer",
             [&](ClientProgram& it) { return send_all(it, {}, numbered("orders", 10), sent); });
    farm.run_for(10s);
    EXPECT_EQ(dead.values.size(), 10u);
    farm.add("worker/2", [&](ClientProgram& it) { return share_work(it, accept_all, other); });
    node.crash("test");
    farm.run_for(15s);
    EXPECT_TRUE(other.values.empty()) << "nobody knows";
    farm.run_for(20s);
    EXPECT_EQ(other.values.size(), 10u) << "after 30 s";
    for (const auto& [value, count] : other.deliveries)
        EXPECT_EQ(count, 2);
}

/// Accepts implicitly, and may close after some polls.
asio::awaitable<void> poll_only(ClientProgram& program, int polls, Worked& worked) {
    const auto consumer = program.client.share_consumer(share_options(false));
    consumer->subscribe({"orders"});
    for (int at = 0; polls == 0 || at < polls; ++at) {
        const Outcome<ShareRecords> polled = co_await consumer->poll(100ms);
        for (const ShareRecord& record : *polled)
            note(worked, record);
        if (!polled->empty() && polls != 0) break; // never polls again: not accepted
    }
    co_await consumer->close();
    worked.notes.push_back("closed");
}

TEST(KafkaShareGroup, ThePollAfterAcceptsImplicitlyAndCloseGivesTheRestBack) {
    Farm farm(1, {topic_of("orders", 1)}, from_the_start());
    Sent sent;
    farm.add("producer",
             [&](ClientProgram& it) { return send_all(it, {}, numbered("orders", 10), sent); });
    farm.run_for(5s);
    Worked first;
    Worked second;
    farm.add("worker/1", [&](ClientProgram& it) { return poll_only(it, 100, first); });
    farm.run_for(5s);
    EXPECT_EQ(first.values.size(), 10u);
    EXPECT_EQ(first.notes, std::vector<std::string>{"closed"});
    farm.add("worker/2", [&](ClientProgram& it) { return poll_only(it, 0, second); });
    farm.run_for(60s);
    EXPECT_EQ(second.values.size(), 10u) << "at once, and once";
    EXPECT_EQ(second.deliveries["0"], 2);
}

// A heartbeat on its way is answered with "unknown member", which must not make it join again: the
// partitions of such a ghost would be nobody's until its session ends.
TEST(KafkaShareGroup, WhoClosesDoesNotComeBack) {
    ClusterOptions options = from_the_start();
    options.share.heartbeat_interval = 1ms;
    Farm farm(1, {topic_of("orders", 4)}, options);
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 4, 20ms); });
    std::vector<Worked> gone(5);
    for (std::size_t at = 0; at < gone.size(); ++at) {
        farm.add("worker/" + std::to_string(at + 1),
                 [&, at](ClientProgram& it) { return poll_only(it, 20, gone[at]); });
    }
    farm.run_for(10s);
    std::set<std::int32_t> partitions;
    Worked last;
    const Verdict verdict = [&partitions](const ShareRecord& record) {
        partitions.insert(record.record.partition);
        return AcknowledgeType::accept;
    };
    farm.add("worker/last", [&](ClientProgram& it) { return share_work(it, verdict, last); });
    farm.run_for(10s);
    EXPECT_EQ(gone[4].notes, std::vector<std::string>{"closed"});
    EXPECT_EQ(partitions.size(), 4u);
}

asio::awaitable<void> forget_to_acknowledge(ClientProgram& program, Worked& worked) {
    const auto consumer = program.client.share_consumer(share_options(true));
    consumer->subscribe({"orders"});
    try {
        for (;;) {
            const Outcome<ShareRecords> polled = co_await consumer->poll(100ms);
            for (const ShareRecord& record : *polled)
                note(worked, record);
        }
    } catch (const std::logic_error&) {
        worked.notes.emplace_back("refused");
    }
}

TEST(KafkaShareGroup, InExplicitModeEveryRecordIsAcknowledgedBeforeTheNextPoll) {
    Farm farm(1, {topic_of("orders", 1)}, from_the_start());
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 50ms); });
    Worked worked;
    farm.add("worker", [&](ClientProgram& it) { return forget_to_acknowledge(it, worked); });
    farm.run_for(5s);
    EXPECT_EQ(worked.notes, std::vector<std::string>{"refused"});
    EXPECT_FALSE(worked.values.empty());
}

// The new leader knows what was acknowledged; what was out with members is out again.
TEST(KafkaShareGroup, ANewLeaderGoesOnWithWhatWasAcknowledged) {
    Farm farm(3, {topic_of("orders", 1)}, from_the_start());
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 20ms); });
    Worked worked;
    farm.add("worker", [&](ClientProgram& it) { return share_work(it, accept_all, worked); });
    farm.run_for(10s);
    const std::size_t before = worked.values.size();
    ASSERT_GT(before, 100u);
    sim::Node* const leader = farm.cluster.leader_of(farm.cluster.partition(0, 0));
    leader->crash("test");
    farm.run_for(30s);
    EXPECT_GT(worked.values.size(), before + 100);
    std::map<std::string, int> times;
    for (const std::string& value : worked.values)
        ++times[value];
    std::size_t again = 0;
    for (std::size_t at = 0; at + 100 < times.size(); ++at) {
        ASSERT_GE(times[std::to_string(at)], 1) << at << " was never delivered";
        again += times[std::to_string(at)] > 1 ? 1 : 0;
    }
    EXPECT_LT(again, 50u) << "only what was under way";
}

// Found in a storm: a member that learnt of the moment without a leader never asked again.
TEST(KafkaShareGroup, FindsTheLeaderOfAPartitionThatHadNone) {
    Farm farm(1, {topic_of("orders", 1, 1, 1)}, from_the_start());
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 20ms); });
    Worked worked;
    farm.add("worker", [&](ClientProgram& it) { return share_work(it, accept_all, worked); });
    farm.run_for(10s);
    sim::Node* const leader = farm.cluster.leader_of(farm.cluster.partition(0, 0));
    farm.add_fault(sim::FaultKind::crash, {leader->id()}, 20s);
    farm.run_for(15s);
    EXPECT_EQ(farm.cluster.leader_of(farm.cluster.partition(0, 0)), nullptr);
    farm.run_for(20s);
    const std::size_t before = worked.values.size();
    farm.run_for(10s);
    EXPECT_GT(worked.values.size(), before + 100);
}

TEST(KafkaShareGroup, ANewCoordinatorKeepsStateAndMembers) {
    Farm farm(2, {topic_of("orders", 1)}, from_the_start());
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 1, 20ms); });
    Worked worked;
    farm.add("worker", [&](ClientProgram& it) { return share_work(it, accept_all, worked); });
    farm.run_for(10s);
    sim::Node* const coordinator = farm.cluster.leader_of(farm.cluster.offsets_partition("jobs"));
    coordinator->crash("test");
    farm.run_for(60s);
    const std::size_t before = worked.values.size();
    farm.run_for(10s);
    EXPECT_GT(worked.values.size(), before + 100);
    const std::set<std::string> once(worked.values.begin(), worked.values.end());
    for (std::size_t at = 0; at + 100 < once.size(); ++at)
        ASSERT_TRUE(once.contains(std::to_string(at))) << at << " was never delivered";
}

// Whatever crashes, no record is lost.
TEST(KafkaShareGroup, NothingIsLostWhileMembersAndLeadersDie) {
    static constexpr sim::Purpose purpose{"test.share-storm"};
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        Farm farm(seed, {topic_of("orders", 2)}, from_the_start());
        farm.add("producer", [](ClientProgram& it) { return produce_on(it, 2, 100ms); });
        std::vector<Worked> worked(3);
        std::vector<sim::Node*> nodes;
        for (std::size_t at = 0; at < worked.size(); ++at) {
            nodes.push_back(
                &farm.add("worker/" + std::to_string(at + 1), [&, at](ClientProgram& it) {
                    return share_work(it, accept_all, worked[at]);
                }));
        }
        const sim::Random random(seed);
        for (std::uint64_t step = 0; step < 12; ++step) {
            farm.run_for(random.draw(purpose, 2, step).between(500ms, 5s));
            const std::uint64_t drawn = random.draw(purpose, 1, step).below(4);
            if (drawn < 3) {
                sim::Node& node = *nodes[drawn];
                node.is_up() ? node.crash("test") : node.start();
            } else {
                sim::Node* const leader = farm.cluster.leader_of(farm.cluster.partition(0, 0));
                if (leader != nullptr && farm.cluster.is_whole()) {
                    farm.add_fault(sim::FaultKind::crash, {leader->id()}, 3s);
                }
            }
        }
        for (sim::Node* const node : nodes) {
            if (!node->is_up()) node->start();
        }
        farm.run_for(80s);
        std::set<std::string> done;
        for (const Worked& one : worked)
            done.insert(one.values.begin(), one.values.end());
        for (std::size_t at = 0; at + 300 < done.size(); ++at)
            ASSERT_TRUE(done.contains(std::to_string(at))) << at << " is lost, seed " << seed;
    }
}

} // namespace
} // namespace crier::broker::kafka::testing
