// Faults of single calls, and faults that are whole stories: what a file may say of them, what is
// planned, and what they do in a run.
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

std::string with_fault(const std::string& fault) {
    return R"(brokers:
  events: {kafka: {}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders}
  billing: {is: consumer, from: orders, database: billing-db, replicas: 2, offset-reset: earliest,
            session-timeout: 6s}
load:
  - {to: shop, rate: 5/s, for: 20s}
expect: [ledger, effect-at-most-once, heal-progress]
faults:
  - )" + fault +
           "\n";
}

Scenario good(const std::string& fault) {
    auto loaded = parse_scenario(with_fault(fault), "x.yaml", stock_services());
    if (loaded) return *loaded;
    for (const LoadError& error : loaded.error())
        ADD_FAILURE() << error.text();
    return {};
}

std::string problem(const std::string& fault) {
    const auto loaded = parse_scenario(with_fault(fault), "x.yaml", stock_services());
    if (loaded) return "none";
    EXPECT_EQ(loaded.error().size(), 1U) << fault;
    return loaded.error().front().text();
}

std::vector<std::string> planned(const std::string& fault) {
    const Scenario scenario = good(fault);
    std::vector<std::string> words;
    for (const PlannedFault& one : make_plan(scenario, 1).faults)
        words.push_back(one.what);
    return words;
}

RunResult run(const std::string& fault, std::uint64_t seed = 1) {
    broker::configure_sqlite();
    const Scenario scenario = good(fault);
    const ServiceTable services = stock_services();
    RunOptions options;
    options.seed = seed;
    options.keep_history = true;
    RunResult result = run_scenario(scenario, services, options);
    EXPECT_EQ(result.broken, "") << fault;
    return result;
}

std::size_t count(const RunResult& result, const sim::EventKind& kind) {
    return static_cast<std::size_t>(
        std::count_if(result.history.begin(), result.history.end(),
                      [&kind](const sim::Event& event) { return event.kind == kind.id; }));
}

std::uint64_t hits(const RunResult& result) {
    std::uint64_t hits = 0;
    for (const FaultOutcome& fault : result.faults)
        hits += fault.hits;
    return hits;
}

TEST(MessageFaults, SayWhatTheyDo) {
    using testing::ElementsAre;
    EXPECT_THAT(planned("drop-request: {of: relay, call: produce, nth: 17}"),
                ElementsAre("drop produce 17 of relay/1"));
    EXPECT_THAT(planned("fail-call: {call: produce, topic: orders, strikes: 3, nth: 2, "
                        "error: NOT_ENOUGH_REPLICAS}"),
                ElementsAre("answer produce 2 to 4 about orders with NOT_ENOUGH_REPLICAS"));
    EXPECT_THAT(planned("stale-answer: {call: offset-fetch, group: billing, always: on, at: 5s, "
                        "lasts: 3s}"),
                ElementsAre("answer every offset-fetch about billing with what was before from 5s "
                            "for 3s"));
    EXPECT_THAT(planned("lose-answer: {call: produce, partition: orders/1, chance: 5%}"),
                ElementsAre("lose the answer to 5% of each produce about orders/1"));
    EXPECT_THAT(planned("delay-call: {between: [billing/2, events/1], call: fetch, for: 1s}"),
                ElementsAre("delay fetch 1 between billing/2 and events/1 by 1s"));
    EXPECT_THAT(planned("crash: {of: events/1, call: produce, topic: orders, nth: 9, for: 1s}"),
                ElementsAre("crash events/1 for 1s at its produce 9 about orders"));
}

TEST(MessageFaults, OfBadNamesAreToldAtTheirPlace) {
    EXPECT_THAT(problem("fail-call: {call: produce, error: NOT_ENOUGH_REPLICA}"),
                HasSubstr("x.yaml:15:39: there is no error `NOT_ENOUGH_REPLICA` (did you mean "
                          "`NOT_ENOUGH_REPLICAS`?)"));
    EXPECT_THAT(problem("fail-call: {call: sql-commit, error: NOT_COORDINATOR}"),
                HasSubstr("there is no error `NOT_COORDINATOR`"));
    EXPECT_THAT(problem("fail-call: {call: metadata, error: NOT_COORDINATOR}"),
                HasSubstr("is never answered with an error"));
    EXPECT_THAT(problem("fail-call: {call: produce}"), HasSubstr("`error`"));
    EXPECT_THAT(problem("stale-answer: {call: produce}"),
                HasSubstr("no answer that could be stale (these have: `metadata`"));
    EXPECT_THAT(problem("drop-request: {call: produce, topic: ordres}"),
                HasSubstr("did you mean `orders`?"));
    EXPECT_THAT(problem("drop-request: {call: produce, partition: orders/2}"),
                HasSubstr("`partition` must be a partition, `orders/0` to `orders/1`"));
    EXPECT_THAT(problem("drop-request: {call: heartbeat, group: shop}"),
                HasSubstr("subscribes to nothing"));
    EXPECT_THAT(problem("drop-request: {call: heartbeat, strikes: 2, always: on}"),
                HasSubstr("needs one of `strikes`, `always`"));
    EXPECT_THAT(problem("drop-request: {call: heartbeat, at: 1s, every: 2s}"),
                HasSubstr("needs one of `at`, `every`"));
    EXPECT_THAT(problem("slow-broker: {of: billing, at: 1s, for: 1s, times: 5}"),
                HasSubstr("befalls a broker, not `billing` (there are: `events`)"));
    EXPECT_THAT(problem("zombie: {of: events, at: 1s}"), HasSubstr("befalls a service"));
    EXPECT_THAT(problem("leader-change: {leader-of: orders/7, at: 1s}"),
                HasSubstr("`leader-of` must be a partition"));
    EXPECT_THAT(problem("leader-change: {leader-of: orders/1}"), HasSubstr("`at`, `every`"));
}

// A failing produce request is tried again by the relay's producer, and nothing is lost.
TEST(MessageFaults, AnswerWithAnErrorAsOftenAsTheyAreTold) {
    const RunResult result = run("fail-call: {call: produce, topic: orders, strikes: 3, nth: 2, "
                                 "error: NOT_ENOUGH_REPLICAS}");
    EXPECT_EQ(result.verdict, VerdictKind::holds);
    EXPECT_EQ(hits(result), 3U);
    EXPECT_EQ(count(result, sim::events::answer_forged), 3U);
    EXPECT_EQ(count(result, sim::events::fault_began), 1U);
}

TEST(MessageFaults, BefallOnlyCallsThatConcernWhatTheyName) {
    EXPECT_GT(hits(run("drop-request: {call: offset-commit, group: billing, strikes: 2}")), 0U);
    EXPECT_EQ(hits(run("drop-request: {call: produce, group: billing, strikes: 2}")), 0U);
    const RunResult one = run("fail-call: {call: produce, partition: orders/0, always: on, at: 5s, "
                              "lasts: 2s, error: NOT_LEADER_OR_FOLLOWER}");
    EXPECT_EQ(one.verdict, VerdictKind::holds);
    EXPECT_GT(hits(one), 2U);
    for (const sim::Event& event : one.history) {
        if (event.kind != sim::events::answer_forged.id) continue;
        EXPECT_GE(event.time, Duration(std::chrono::seconds(5)).count());
        EXPECT_LE(event.time, Duration(std::chrono::milliseconds(7'100)).count());
    }
}

TEST(MessageFaults, StrikeWithAProbability) {
    const RunResult some = run("lose-answer: {call: offset-commit, chance: 30%}");
    const RunResult all = run("delay-call: {call: offset-commit, always: on, for: 1ms}");
    EXPECT_EQ(some.verdict, VerdictKind::holds);
    EXPECT_GT(hits(some), 0U);
    EXPECT_LT(hits(some), hits(all));
}

// Every answer that can be stale, all the time from the first on: correct code survives it.
TEST(MessageFaults, AnswerWithWhatWasTrueBefore) {
    for (const char* const call :
         {"metadata", "fetch", "list-offsets", "find-coordinator", "offset-fetch"}) {
        const RunResult result =
            run(std::string("stale-answer: {call: ") + call + ", chance: 80%, lasts: 15s}");
        EXPECT_EQ(result.verdict, VerdictKind::holds) << call;
        EXPECT_GT(hits(result), 0U) << call;
    }
}

TEST(MessageFaults, FailStatementsAndCommitsOfAStore) {
    const RunResult result =
        run("fail-call: {of: billing-db, call: sql-commit, chance: 20%, error: "
            "serialization-failure}");
    EXPECT_EQ(result.verdict, VerdictKind::holds);
    EXPECT_GT(hits(result), 5U);
    EXPECT_GT(hits(run("fail-call: {of: shop-db, call: sql-statement, strikes: 9, error: "
                       "lock-timeout}")),
              0U);
}

// Whatever one call of a kind is answered with, a correct system holds: 20 seeds of refusals.
TEST(MessageFaults, ACorrectSystemHoldsWhateverFails) {
    const std::vector<std::string> faults{
        "fail-call: {call: join-group, strikes: 2, nth: 1..4, error: UNKNOWN_MEMBER_ID}",
        "fail-call: {call: sync-group, strikes: 1, nth: 1..2, error: REBALANCE_IN_PROGRESS}",
        "fail-call: {call: heartbeat, strikes: 2, nth: 1..9, error: ILLEGAL_GENERATION}",
        "fail-call: {call: offset-commit, nth: 1..9, strikes: 2, error: NOT_COORDINATOR}",
        "fail-call: {call: offset-fetch, strikes: 3, error: COORDINATOR_LOAD_IN_PROGRESS}",
        "fail-call: {call: fetch, nth: 1..50, strikes: 5, error: NOT_LEADER_OR_FOLLOWER}",
        "fail-call: {call: replica-fetch, nth: 1..50, strikes: 9, error: UNKNOWN_LEADER_EPOCH}",
        "fail-call: {call: find-coordinator, strikes: 5, error: COORDINATOR_NOT_AVAILABLE}",
        "fail-call: {call: init-producer-id, strikes: 2, error: COORDINATOR_LOAD_IN_PROGRESS}",
        "drop-request: {call: broker-heartbeat, of: events, chance: 20%}",
    };
    for (const std::string& fault : faults) {
        for (std::uint64_t seed = 1; seed <= 2; ++seed) {
            const RunResult result = run(fault, seed);
            EXPECT_EQ(result.verdict, VerdictKind::holds) << fault << " seed " << seed;
            EXPECT_GT(hits(result), 0U) << fault;
        }
    }
}

TEST(StoryFaults, AreMadeOfParts) {
    using testing::ElementsAre;
    EXPECT_THAT(planned("rolling-deploy: {of: billing, at: 5s, for: 1s}"),
                ElementsAre("stop billing/1 for 1s", "stop billing/2 for 1s"));
    EXPECT_THAT(planned("slow-broker: {of: events/1, at: 5s, for: 1s, times: 50}"),
                ElementsAre("make the link between events/1 and everybody else 50 times as slow "
                            "for 1s",
                            "make the disk of events/1 50 times as slow for 1s"));
    EXPECT_THAT(planned("leader-change: {leader-of: orders/1, at: 5s}"),
                ElementsAre("give orders/1 another leader"));
    EXPECT_THAT(planned("coordinator-move: {coordinator-of: billing, at: 5s}"),
                ElementsAre("move the coordinator of billing"));
    EXPECT_GE(planned("rebalance-storm: {of: billing, at: 1s, for: 20s}").size(), 4U);
    const Scenario zombie = good("zombie: {of: billing, at: 5s}");
    EXPECT_GT(make_plan(zombie, 1).faults.at(0).length, std::chrono::seconds(6));
}

// A stop lets work in flight finish: the member leaves its group, and nothing is handled twice.
TEST(StoryFaults, AStopIsAnOrderlyEnd) {
    const RunResult result = run("stop: {of: billing/1, at: 8s, for: 3s}");
    EXPECT_EQ(result.verdict, VerdictKind::holds);
    EXPECT_EQ(count(result, sim::events::stopping), 1U);
    std::vector<std::string> ends;
    for (const sim::Event& event : result.history) {
        if (event.kind == sim::events::crashed.id)
            ends.push_back(result.texts->find(event.operands[0]));
    }
    EXPECT_THAT(ends, testing::ElementsAre("stopped"));
    EXPECT_GT(count(result, broker::events::revoked), 0U);
    EXPECT_EQ(count(result, broker::events::lost), 0U);
}

TEST(StoryFaults, MoveLeadersAndCoordinators) {
    const RunResult leader = run("leader-change: {leader-of: orders/1, every: 4s}");
    EXPECT_EQ(leader.verdict, VerdictKind::holds);
    EXPECT_EQ(hits(leader), leader.faults.size());
    EXPECT_GE(count(leader, broker::events::leader_changed), 2 + leader.faults.size());
    const RunResult coordinator = run("coordinator-move: {coordinator-of: billing, every: 4s}");
    EXPECT_EQ(coordinator.verdict, VerdictKind::holds);
    EXPECT_EQ(hits(coordinator), coordinator.faults.size());
}

TEST(StoryFaults, StormsZombiesAndOldLogsAreSurvived) {
    const RunResult storm = run("rebalance-storm: {of: billing, at: 4s, for: 15s}");
    EXPECT_EQ(storm.verdict, VerdictKind::holds);
    EXPECT_GE(count(storm, broker::events::generation_started), 4U);
    const RunResult zombie = run("zombie: {of: billing/1, at: 8s}");
    EXPECT_EQ(zombie.verdict, VerdictKind::holds);
    EXPECT_GT(count(zombie, broker::events::lost), 0U);
    const RunResult old_log = run("old-log: {of: events/1, at: 10s, for: 3s}");
    EXPECT_EQ(old_log.verdict, VerdictKind::holds);
    EXPECT_EQ(count(old_log, sim::events::power_lost), 1U);
    const RunResult slow = run("slow-broker: {of: events/1, at: 5s, for: 5s, times: 100}");
    EXPECT_EQ(slow.verdict, VerdictKind::holds);
    EXPECT_GT(hits(slow), 10U);
}

} // namespace
} // namespace crier::scenario
