// Transactions of a copier through late requests, with both versions of Kafka's protocol.
#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/run.hpp"

#include <gtest/gtest.h>

namespace crier::scenario {
namespace {

using properties::Verdict;
using properties::VerdictKind;

Scenario copying(const std::string& version, const std::string& copier, const std::string& fault) {
    const std::string text = "brokers:\n  events: {kafka: {transaction-version: " + version + R"(}}
channels:
  orders: {partitions: 3, replication: 3, min-in-sync: 2}
  billable: {partitions: 3, replication: 3, min-in-sync: 2}
databases: [shop-db, billing-db]
services:
  shop: {is: outbox-producer, database: shop-db}
  relay: {is: outbox-relay, database: shop-db, to: orders}
  copier: {is: copier, from: orders, to: billable, offset-reset: earliest, )" +
                             copier + R"(}
  billing: {is: consumer, from: billable, database: billing-db, isolation: read-committed,
            offset-reset: earliest}
load:
  - {to: shop, rate: 40/s, for: 50s}
expect: [ledger, marker-identity, txn-atomic, producer-fencing, hanging-txn, lso-monotone]
faults:
  - )" + fault + "\n";
    auto loaded = parse_scenario(text, "x.yaml", stock_services());
    if (loaded) return *loaded;
    for (const LoadError& error : loaded.error())
        ADD_FAILURE() << error.text();
    return {};
}

/// A copier whose request to end a transaction arrives when it has given it up, sent it again, and
/// begun another.
Scenario late_end(const std::string& version, const std::string& more = {}) {
    return copying(
        version, "transaction-timeout: 60s",
        "delay-call: {of: copier, call: end-txn, chance: 5%, strikes: 1..3, for: 31s..40s}\n"
        "  - slow-link: {between: [copier, events], at: 1s, for: 60s, times: 20..60}" +
            more);
}

enum class Judged { in_each_seed, in_some_seed };

/// In how many of the first seeds the property is violated; it must have something to judge.
std::size_t violations(const Scenario& scenario, const std::string& property,
                       std::uint64_t seeds = 4, Judged judged = Judged::in_each_seed) {
    broker::configure_sqlite();
    const ServiceTable services = stock_services();
    std::size_t count = 0;
    std::uint64_t observations = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        RunOptions options;
        options.seed = seed;
        const RunResult result = run_scenario(scenario, services, options);
        EXPECT_EQ(result.broken, "");
        for (const Verdict& verdict : result.properties) {
            if (verdict.property != property) continue;
            observations += verdict.observations;
            if (judged == Judged::in_each_seed)
                EXPECT_GT(verdict.observations, 0U) << property << " at seed " << seed;
            count += verdict.kind == VerdictKind::violated ? 1 : 0;
        }
    }
    EXPECT_GT(observations, 0U) << property;
    return count;
}

// KIP-890, found by Jepsen (KAFKA-17754): up to version 1 all of a producer's transactions have one
// epoch, and nothing tells a request for the last from one for the next.
TEST(LateEndOfTransaction, EndsTheNextOneInVersion1) {
    EXPECT_GT(violations(late_end("1"), "marker-identity"), 0U);
    EXPECT_EQ(violations(late_end("1"), "producer-fencing"), 0U);
}

// The late end commits what the next transaction has written so far; what comes after is part of
// one more, which may be aborted. That the leaders ask the coordinator does not help: to it, there
// is a transaction.
TEST(LateEndOfTransaction, TearsTheNextOneInVersion1) {
    const std::string refusals = "\n  - fail-call: {of: copier, call: txn-offset-commit, chance: "
                                 "30%, error: UNKNOWN_MEMBER_ID}";
    EXPECT_GT(violations(late_end("1", refusals), "txn-atomic", 10), 0U);
    EXPECT_EQ(violations(late_end("2", refusals), "txn-atomic", 4), 0U);
}

TEST(LateEndOfTransaction, IsRefusedInVersion2) {
    for (const char* const property :
         {"ledger", "marker-identity", "txn-atomic", "producer-fencing", "lso-monotone"}) {
        EXPECT_EQ(violations(late_end("2"), property), 0U) << property;
    }
    // It judges in calm only, and a fault that waits for its last call may last to the end.
    EXPECT_EQ(violations(late_end("2"), "hanging-txn", 4, Judged::in_some_seed), 0U);
}

// Nobody takes the transactional id of a dead life again: only the coordinator ends what it began.
TEST(AbandonedTransactions, AreEndedByTheCoordinator) {
    for (const char* const version : {"1", "2"}) {
        const Scenario scenario =
            copying(version, "transactional-id: random, transaction-timeout: 10s",
                    "crash: {of: copier, every: 5s, for: 1s..2s}");
        EXPECT_EQ(violations(scenario, "hanging-txn"), 0U);
        EXPECT_EQ(violations(scenario, "ledger"), 0U);
    }
}

} // namespace
} // namespace crier::scenario
