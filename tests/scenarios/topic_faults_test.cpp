// Channels that change while a scenario runs, and brokers that are told to stop.
#include "broker-model/events.hpp"
#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/run.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::scenario {
namespace {

using properties::VerdictKind;
using testing::HasSubstr;

std::string with_fault(const std::string& fault, const std::string& length = "20s",
                       const std::string& expect = "ledger, effect-at-most-once") {
    return R"(brokers:
  events: {kafka: {}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders}
  billing: {is: consumer, from: orders, database: billing-db, replicas: 2, offset-reset: earliest}
load:
  - {to: shop, rate: 5/s, for: )" +
           length + R"(}
expect: [)" +
           expect +
           R"(]
faults:
  - )" + fault +
           "\n";
}

std::string problem(const std::string& fault) {
    const auto loaded = parse_scenario(with_fault(fault), "x.yaml", stock_services());
    if (loaded) return "none";
    EXPECT_EQ(loaded.error().size(), 1U) << fault;
    return loaded.error().front().text();
}

RunResult run(const std::string& fault, const std::string& length = "20s",
              const std::string& expect = "ledger, effect-at-most-once") {
    broker::configure_sqlite();
    auto loaded = parse_scenario(with_fault(fault, length, expect), "x.yaml", stock_services());
    if (!loaded) {
        ADD_FAILURE() << loaded.error().front().text();
        return {};
    }
    RunOptions options;
    options.keep_history = true;
    RunResult result = run_scenario(*loaded, stock_services(), options);
    EXPECT_EQ(result.broken, "") << fault;
    return result;
}

std::size_t count(const RunResult& result, const sim::EventKind& kind) {
    return static_cast<std::size_t>(
        std::count_if(result.history.begin(), result.history.end(),
                      [&kind](const sim::Event& event) { return event.kind == kind.id; }));
}

properties::Verdict verdict_of(const RunResult& result, std::string_view property) {
    for (const properties::Verdict& verdict : result.properties) {
        if (verdict.property == property) return verdict;
    }
    ADD_FAILURE() << "no verdict on " << property;
    return {};
}

VerdictKind kind_of(const RunResult& result, std::string_view property) {
    return verdict_of(result, property).kind;
}

void expect_none_broken(const RunResult& result) {
    for (const properties::Verdict& verdict : result.properties)
        EXPECT_NE(verdict.kind, VerdictKind::violated) << verdict.witness;
}

TEST(TopicFaults, SayWhichChannelAndHowManyPartitions) {
    EXPECT_THAT(problem("add-partitions: {channel: orders, to: 2, at: 5s}"),
                HasSubstr("`orders` has 2 partitions already"));
    EXPECT_THAT(problem("add-partitions: {channel: orders, at: 5s}"), HasSubstr("`to`"));
    EXPECT_THAT(problem("add-partitions: {channel: order, to: 4, at: 5s}"), HasSubstr("orders"));
    EXPECT_THAT(problem("recreate-topic: {channel: billing, at: 5s}"), HasSubstr("billing"));
    EXPECT_EQ(problem("recreate-topic: {channel: orders, every: 5s}"), "none");
}

// Everybody learns of the new partitions within minutes, and nothing is lost.
TEST(TopicFaults, MorePartitionsAreFoundInTheEnd) {
    const RunResult result = run("add-partitions: {channel: orders, to: 5, at: 5s}", "420s");
    EXPECT_EQ(result.verdict, VerdictKind::holds);
    EXPECT_EQ(count(result, broker::events::partitions_added), 1U);
    bool is_used = false;
    for (const sim::Event& event : result.history) {
        is_used = is_used || (event.kind == broker::events::delivered.id &&
                              result.texts->find(event.operands[0]) == "orders/4");
    }
    EXPECT_TRUE(is_used);
}

// What was not read yet is gone; what comes later is read.
TEST(TopicFaults, ATopicMadeAnewIsReadFromItsStart) {
    const RunResult result = run("recreate-topic: {channel: orders, at: 10s}");
    EXPECT_EQ(count(result, broker::events::topic_deleted), 1U);
    EXPECT_EQ(count(result, broker::events::topic_created), 1U);
    std::int64_t last = 0;
    for (const sim::Event& event : result.history) {
        if (event.kind == broker::events::delivered.id) last = event.time;
    }
    EXPECT_GT(last, Duration(std::chrono::seconds(19)).count());
}

// Those of the log know a deletion from a loss, and judge what comes after it as a log of its own.
TEST(TopicFaults, ATopicDeletedOnPurposeIsNobodysLoss) {
    const RunResult result = run("recreate-topic: {channel: orders, at: 10s}", "20s",
                                 "offset-stability, acked-durable, inconsistent-offsets, "
                                 "nonmonotonic-send, int-poll-skip, phantom-read, lost-write, "
                                 "duplicate-record, poll-skip, unseen, position-contiguous, "
                                 "retention-visible-loss, reset-policy, idempotent-producer, "
                                 "hw-monotone, lso-monotone, epoch-single-leader");
    EXPECT_EQ(count(result, broker::events::partition_deleted), 2U);
    EXPECT_EQ(count(result, broker::events::records_lost), 0U);
    expect_none_broken(result);
    for (const auto* property :
         {"offset-stability", "acked-durable", "nonmonotonic-send", "inconsistent-offsets",
          "int-poll-skip", "phantom-read", "duplicate-record", "lost-write", "poll-skip", "unseen",
          "epoch-single-leader"}) {
        EXPECT_EQ(kind_of(result, property), VerdictKind::holds) << property;
    }
}

// They are a channel's own from when they are added, and nobody's books.
TEST(TopicFaults, PartitionsThatAreAddedAreJudgedFromThenOn) {
    const RunResult result = run("add-partitions: {channel: orders, to: 4, at: 5s}", "420s",
                                 "assigned-all, assignment-fair, unseen, zombie-commit, "
                                 "reset-policy, position-contiguous, rejoin-dup-bound, "
                                 "revoke-before-assign");
    expect_none_broken(result);
    for (const auto* property : {"assigned-all", "assignment-fair", "unseen", "zombie-commit"})
        EXPECT_EQ(kind_of(result, property), VerdictKind::holds) << property;
    EXPECT_EQ(verdict_of(result, "assigned-all").observations, 4U);
}

TEST(TopicFaults, ABrokerThatIsToldToStopIsMissedByNobody) {
    const RunResult result = run("stop: {leader-of: orders/0, at: 8s, for: 8s}");
    EXPECT_EQ(result.verdict, VerdictKind::holds);
    EXPECT_EQ(count(result, sim::events::stopping), 1U);
    EXPECT_EQ(count(result, broker::events::broker_fenced), 0U);
    EXPECT_EQ(count(result, broker::events::leader_gone), 0U);
}

} // namespace
} // namespace crier::scenario
