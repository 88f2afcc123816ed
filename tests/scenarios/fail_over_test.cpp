// Databases with a replica in scenarios: how they are written, addressed and failed over.
#include "broker-model/events.hpp"
#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/points.hpp"
#include "scenarios/run.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

namespace crier::scenario {
namespace {

using properties::VerdictKind;
using testing::ElementsAre;
using testing::HasSubstr;

std::string shop(const std::string& database, const std::string& faults) {
    return R"(brokers:
  events: {kafka: {}}
channels:
  orders: {partitions: 2, replication: 3, min-in-sync: 2}
databases:
  shop-db: )" +
           database + R"(
  billing-db: {}
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders, relay-by: RELAY}
  billing: {is: consumer, from: orders, database: billing-db, offset-reset: earliest}
load:
  - {to: shop, rate: 10/s, for: 20s}
expect: [ledger, effect-at-most-once, outbox-no-missing, outbox-no-phantom]
faults:
)" + faults;
}

std::string with_relay(std::string text, const std::string& kind) {
    return text.replace(text.find("RELAY"), 5, kind);
}

std::string problem(const std::string& database, const std::string& faults) {
    const std::string text = with_relay(shop(database, faults), "claim");
    const auto loaded = parse_scenario(text, "x.yaml", stock_services());
    if (loaded) return "none";
    EXPECT_EQ(loaded.error().size(), 1U) << faults;
    return loaded.error().front().text();
}

Scenario good(const std::string& text) {
    broker::configure_sqlite();
    auto loaded = parse_scenario(text, "x.yaml", stock_services());
    if (loaded) return std::move(*loaded);
    ADD_FAILURE() << loaded.error().front().text();
    return {};
}

std::size_t count(const RunResult& result, const sim::EventKind& kind) {
    return static_cast<std::size_t>(
        std::count_if(result.history.begin(), result.history.end(),
                      [&kind](const sim::Event& event) { return event.kind == kind.id; }));
}

RunResult run(const Scenario& scenario, std::uint64_t seed = 1) {
    RunOptions options;
    options.keep_history = true;
    options.seed = seed;
    RunResult result = run_scenario(scenario, stock_services(), options);
    EXPECT_EQ(result.broken, "");
    return result;
}

const std::string once = "  - fail-over: {of: shop-db, at: 5s, for: 2s}\n";

TEST(FailOverStory, IsForDatabasesWithAReplica) {
    EXPECT_EQ(problem("{replica: asynchronous}", once), "none");
    EXPECT_THAT(problem("{}", once), HasSubstr("befalls a database with a replica"));
    EXPECT_THAT(problem("{replica: none}", once), HasSubstr("not `shop-db`"));
    EXPECT_THAT(
        problem("{replica: synchronous}", "  - fail-over: {of: shop-db/1, at: 5s, for: 2s}\n"),
        HasSubstr("not `shop-db/1`"));
    EXPECT_THAT(problem("{replica: synchronous}",
                        "  - fail-over: {any-of: [shop-db, shop], every: 5s, for: 2s}\n"),
                HasSubstr("not `shop`"));
}

TEST(FailOverStory, AReplicaHasWhatItNeeds) {
    const std::string crash = "  - crash: {of: shop, at: 5s, for: 2s}\n";
    EXPECT_THAT(problem("{replica: synchronous, synchronous: off}", crash),
                HasSubstr("waits for no replica"));
    EXPECT_EQ(problem("{replica: asynchronous, synchronous: off}", crash), "none");
    std::string file = with_relay(shop("{}", crash), "claim");
    file.replace(file.find("billing-db: {}"), 14, "billing-db: {file: {}, replica: synchronous}");
    const auto loaded = parse_scenario(file, "x.yaml", stock_services());
    ASSERT_FALSE(loaded);
    EXPECT_THAT(loaded.error().front().text(), HasSubstr("a file has no replica"));
}

TEST(FailOverStory, BothNodesHaveAddresses) {
    const std::string between =
        "  - partition: {between: [shop-db/1, shop-db/2], every: 1s, for: 100ms}\n"
        "  - crash: {of: shop-db, every: 1s, for: 100ms}\n";
    EXPECT_EQ(problem("{replica: asynchronous}", between), "none");
    EXPECT_THAT(problem("{}", "  - crash: {of: shop-db/1, at: 1s, for: 1s}\n"),
                HasSubstr("a database has no members"));
    EXPECT_THAT(problem("{replica: asynchronous}", "  - crash: {of: shop-db/3, at: 1s, for: 1s}\n"),
                HasSubstr("has the members `shop-db/1` to `shop-db/2`"));
    const Scenario scenario = good(with_relay(shop("{replica: asynchronous}", between), "claim"));
    EXPECT_THAT(members_of(scenario, "shop-db"), ElementsAre("shop-db/1", "shop-db/2"));
    EXPECT_THAT(members_of(scenario, "billing-db"), ElementsAre("billing-db"));
    std::set<std::string> struck;
    for (const PlannedFault& fault : make_plan(scenario, 1).faults) {
        if (fault.name == "crash") struck.insert(fault.target.name);
    }
    EXPECT_THAT(struck, ElementsAre("shop-db/1", "shop-db/2"));
}

TEST(FailOverStory, PromotesTheReplicaAndBack) {
    const std::string faults = "  - fail-over: {of: shop-db, at: 5s, for: 2s}\n"
                               "  - fail-over: {of: shop-db, at: 12s, for: 2s}\n";
    for (const char* relay : {"claim", "cursor", "change-stream, dead-key: goes-on"}) {
        const RunResult result =
            run(good(with_relay(shop("{replica: synchronous}", faults), relay)));
        EXPECT_EQ(count(result, broker::events::promoted), 2U) << relay;
        EXPECT_TRUE(result.quiet) << relay;
        for (const properties::Verdict& verdict : result.properties)
            EXPECT_EQ(verdict.kind, VerdictKind::holds) << relay << " " << verdict.property;
        ASSERT_EQ(result.faults.size(), 2U);
        EXPECT_EQ(result.faults[0].hits, 1U);
        EXPECT_THAT(result.faults[0].what,
                    HasSubstr("kill the primary of shop-db for 2s and promote its replica"));
    }
}

TEST(FailOverStory, HitsNothingWhileTheReplicaIsDown) {
    const std::string faults = "  - crash: {of: shop-db/2, at: 4s, for: 5s}\n" + once;
    const RunResult result =
        run(good(with_relay(shop("{replica: asynchronous}", faults), "claim")));
    EXPECT_EQ(count(result, broker::events::promoted), 0U);
    ASSERT_EQ(result.faults.size(), 2U);
    EXPECT_EQ(result.faults[1].hits, 0U);
    EXPECT_EQ(count(result, broker::events::row_lost), 0U);
}

TEST(FailOverStory, HoldsHoweverOftenItComes) {
    const std::string faults =
        "  - fail-over: {of: shop-db, every: 3s, for: 500ms..2s}\n"
        "  - partition: {between: [shop-db/1, shop-db/2], every: 5s, for: 500ms..2s}\n"
        "  - drop-request: {call: sql-replicate, nth: 1..40}\n";
    const Scenario scenario = good(with_relay(shop("{replica: synchronous}", faults), "cursor"));
    std::size_t promotions = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const RunResult result = run(scenario, seed);
        promotions += count(result, broker::events::promoted);
        for (const properties::Verdict& verdict : result.properties)
            EXPECT_EQ(verdict.kind, VerdictKind::holds) << seed << " " << verdict.property;
    }
    EXPECT_GE(promotions, 20U);
}

} // namespace
} // namespace crier::scenario
