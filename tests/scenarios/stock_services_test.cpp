#include "scenarios/load_scenario.hpp"
#include "tests/support/scenario_runs.hpp"

#include <gtest/gtest.h>

namespace crier::scenario {
namespace {

// What the stock services refuse beyond types and names; one problem at a time.
std::string problem_with(const std::string& services) {
    const std::string text = "brokers: {events: {kafka: {}}}\n"
                             "channels: {orders: {}}\n"
                             "databases: [db]\n"
                             "services:\n" +
                             services +
                             "load:\n"
                             "  - {to: shop, rate: 1/s, for: 1s}\n"
                             "expect: [ledger]\n";
    const auto parsed = parse_scenario(text, "test.yaml", stock_services());
    return parsed ? "" : parsed.error().front().text();
}

constexpr const char* shop = "  shop: {is: outbox-producer, database: db}\n";
constexpr const char* relay = "  relay: {is: outbox-relay, database: db, to: orders}\n";

TEST(StockServices, TakeTheirDefaults) {
    EXPECT_EQ(problem_with(std::string(shop) + relay +
                           "  billing: {is: consumer, from: orders, database: db}\n"),
              "");
}

TEST(StockServices, RefuseADualWriteWithoutAChannel) {
    const std::string problem = problem_with(
        std::string("  shop: {is: outbox-producer, database: db, publish: dual-write}\n") + relay);
    EXPECT_NE(problem.find("test.yaml:5:"), std::string::npos) << problem;
    EXPECT_NE(problem.find("needs `to`"), std::string::npos) << problem;
}

TEST(StockServices, RefuseAnInboxTransactionWithoutAnInbox) {
    const std::string problem =
        problem_with(std::string(shop) + relay +
                     "  billing: {is: consumer, from: orders, database: db, "
                     "inbox-transaction: own, deduplicate: none}\n");
    EXPECT_NE(problem.find("needs deduplicate: inbox"), std::string::npos) << problem;
}

TEST(StockServices, RefuseABackoffBeyondItsLimit) {
    const std::string problem = problem_with(
        std::string(shop) + relay +
        "  billing: {is: consumer, from: orders, database: db, retry: {backoff: 20s}}\n");
    EXPECT_NE(problem.find("backoff is longer"), std::string::npos) << problem;
}

TEST(StockServices, RefuseALeaseOfNothingAndASessionThatNoCoordinatorTakes) {
    EXPECT_NE(problem_with(std::string(shop) +
                           "  relay: {is: outbox-relay, database: db, to: orders, lease: 0s}\n")
                  .find("lease"),
              std::string::npos);
    EXPECT_NE(
        problem_with(std::string(shop) + relay +
                     "  billing: {is: consumer, from: orders, database: db, session-timeout: 1s}\n")
            .find("session-timeout"),
        std::string::npos);
}

TEST(StockServices, RefuseRelayOptionsThatDoNotGoTogether) {
    const std::vector<std::pair<const char*, const char*>> problems{
        {"gaps: ignored", "gaps needs relay-by: cursor"},
        {"confirm: each", "confirm needs relay-by: change-stream"},
        {"listen: after-reading", "listen needs wake: notification"},
        {"relay-by: change-stream", "needs dead-key: goes-on"},
        {"relay-by: cursor, gaps: ignored, order: none", "order: none needs relay-by: claim"},
        {"purge: by-age", "purge: by-age needs keep"},
        {"relay-by: timer", "`claim`, `cursor` and `change-stream`"},
    };
    for (const auto& [options, expected] : problems) {
        const std::string problem = problem_with(
            std::string(shop) + "  relay: {is: outbox-relay, database: db, to: orders, " + options +
            "}\n");
        EXPECT_NE(problem.find("test.yaml:6:"), std::string::npos) << options << ": " << problem;
        EXPECT_NE(problem.find(expected), std::string::npos) << options << ": " << problem;
    }
    for (const char* const options :
         {"relay-by: cursor", "relay-by: cursor, gaps: ignored",
          "relay-by: cursor, gaps: fixed-wait, gap-wait: 0s", "keep: 10s, purge: by-age",
          "dead-key: goes-on", "outage: attempts, attempts: 3", "wake: notification",
          "relay-by: change-stream, dead-key: goes-on",
          "order: none, mark: sent, after-failure: goes-on, backoff: 1ms"}) {
        EXPECT_EQ(problem_with(std::string(shop) +
                               "  relay: {is: outbox-relay, database: db, to: orders, " + options +
                               "}\n"),
                  "")
            << options;
    }
}

TEST(StockServices, RefuseInboxOptionsThatDoNotGoTogether) {
    const std::vector<std::pair<const char*, const char*>> problems{
        {"marker-hit: taken-for-done", "marker-hit needs inbox-transaction: marker"},
        {"inbox-transaction: after, deduplicate: memory", "after needs deduplicate: inbox"},
        {"inbox-retention: 30s", "longer than marker-expiry"},
    };
    for (const auto& [options, expected] : problems) {
        const std::string problem = problem_with(
            std::string(shop) + relay + "  billing: {is: consumer, from: orders, database: db, " +
            options + "}\n");
        EXPECT_NE(problem.find("test.yaml:7:"), std::string::npos) << options << ": " << problem;
        EXPECT_NE(problem.find(expected), std::string::npos) << options << ": " << problem;
    }
    EXPECT_EQ(problem_with(std::string(shop) + relay +
                           "  billing: {is: consumer, from: orders, database: db, marker-hit:"
                           " never-expires, inbox-transaction: marker, marker-expiry: 5s,"
                           " inbox-retention: 10m, prune-interval: 1s}\n"),
              "");
}

/// Runs a shop, the relay with these options and a consumer with those, while relay and consumer
/// die now and then.
RunResult run_outbox(const std::string& relay_options, const std::string& consumer_options,
                     std::uint64_t seed = 1) {
    broker::configure_sqlite();
    const std::string text =
        "brokers: {events: {kafka: {}}}\n"
        "channels: {orders: {partitions: 4, replication: 3, min-in-sync: 2}}\n"
        "databases: [db, billing-db]\n"
        "services:\n" +
        std::string(shop) + "  relay: {is: outbox-relay, database: db, to: orders, replicas: 2" +
        relay_options + "}\n" +
        "  billing: {is: consumer, from: orders, database: billing-db, offset-reset: earliest" +
        consumer_options +
        "}\n"
        "load:\n"
        "  - {to: shop, rate: 40/s, for: 20s, keys: 10}\n"
        "faults:\n"
        "  - crash: {any-of: [relay, billing], every: 4s, for: 1s..2s}\n"
        "  - lose-answer: {of: relay, call: produce, nth: 1..50}\n"
        "  - fail-call: {of: relay, call: produce, nth: 1..50, strikes: 2, error: INVALID_RECORD}\n"
        "expect: [ledger, outbox-no-missing, outbox-no-phantom, outbox-order-per-key]\n";
    auto parsed = parse_scenario(text, "outbox.yaml", stock_services());
    if (!parsed) throw std::runtime_error(parsed.error().front().text());
    RunOptions options;
    options.seed = seed;
    return run_scenario(*parsed, stock_services(), options);
}

// Writers of a simulated database wait for one another, so there are no gaps to wait for.
TEST(StockServices, RelaysOfAnyKindHoldWhenTheyDie) {
    for (const char* const options :
         {"", ", keep: 5s, purge-interval: 1s", ", relay-by: cursor, gaps: ignored, lease: 2s",
          ", relay-by: cursor, gaps: fixed-wait, lease: 2s, keep: 5s"}) {
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            const RunResult run = run_outbox(options, "", seed);
            EXPECT_EQ(run.verdict, properties::VerdictKind::holds) << options << " seed " << seed;
            EXPECT_EQ(run.ledger.unaccounted, 0U) << options << " seed " << seed;
        }
    }
}

TEST(StockServices, AMarkerThatIsWaitedForLosesNothing) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const RunResult run =
            run_outbox("", ", inbox-transaction: marker, marker-expiry: 5s, work: 20ms", seed);
        EXPECT_EQ(run.verdict, properties::VerdictKind::holds) << "seed " << seed;
    }
}

/// Returns how many of the first seeds lose something.
int lossy_seeds(const std::string& relay_options, const std::string& consumer_options) {
    int seeds = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        if (run_outbox(relay_options, consumer_options, seed).ledger.unaccounted > 0) ++seeds;
    }
    return seeds;
}

TEST(StockServices, MarkersThatAreTakenForDoneLoseMessages) {
    // What a dead member had comes back when its session has ended: before the marker expires.
    const std::string marker = ", work: 20ms, session-timeout: 6s, inbox-transaction: marker";
    EXPECT_EQ(lossy_seeds("", marker), 0);
    EXPECT_GT(lossy_seeds("", marker + ", marker-hit: taken-for-done"), 0);
    EXPECT_EQ(lossy_seeds("", marker + ", marker-hit: taken-for-done, marker-expiry: 1s"), 0);
    EXPECT_GT(lossy_seeds("", marker + ", marker-hit: never-expires, marker-expiry: 1s"), 0);
}

TEST(StockServices, MarkingWhatWasOnlySentLosesMessages) {
    EXPECT_GT(lossy_seeds(", mark: sent", ""), 0);
}

RunResult run_group(const std::string& options) {
    broker::configure_sqlite();
    const std::string text = "brokers: {events: {kafka: {}}}\n"
                             "channels: {orders: {partitions: 4}}\n"
                             "databases: [db]\n"
                             "services:\n" +
                             std::string(shop) + relay +
                             "  billing: {is: consumer, from: orders, database: db, replicas: 2,\n"
                             "            offset-reset: earliest, " +
                             options +
                             "}\n"
                             "load:\n"
                             "  - {to: shop, rate: 10/s, for: 20s}\n"
                             "expect: [ledger]\n";
    const auto parsed = parse_scenario(text, "test.yaml", stock_services());
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().front().text());
    return test::run(*parsed, 1);
}

TEST(StockServices, ConsumersMayBeStaticOrCooperative) {
    for (const char* const options :
         {"instance-id: per-replica", "assignor: cooperative-sticky", "group-protocol: consumer",
          "group-protocol: consumer, instance-id: per-replica"}) {
        const RunResult result = run_group(options);
        EXPECT_EQ(result.verdict, properties::VerdictKind::holds) << options;
        for (const std::string& remark : result.remarks)
            EXPECT_EQ(remark.find("exception"), std::string::npos) << remark;
    }
}

// The mistake of one id for all replicas: they fence one another, and each fenced process ends.
TEST(StockServices, ReplicasWithOneInstanceIdFenceOneAnother) {
    const RunResult result = run_group("instance-id: shared");
    const bool is_told =
        std::any_of(result.remarks.begin(), result.remarks.end(), [](const std::string& remark) {
            return remark.find("FENCED_INSTANCE_ID") != std::string::npos;
        });
    EXPECT_TRUE(is_told);
}

RunResult run_outbox_service(const std::string& database, const std::string& options) {
    const std::string text =
        "brokers: {events: {kafka: {}}}\n"
        "channels: {orders: {partitions: 3, replication: 3, min-in-sync: 2}}\n"
        "databases: {shop-db: " +
        database +
        ", billing-db: {}}\n"
        "services:\n"
        "  shop: {is: outbox-service, database: shop-db, to: orders, lease: 5s" +
        options +
        "}\n"
        "  billing: {is: consumer, from: orders, database: billing-db, offset-reset: earliest}\n"
        "load:\n"
        "  - {to: shop, rate: 20/s, for: 20s, keys: 10}\n"
        "faults:\n"
        "  - crash: {of: shop, every: 5s, for: 1s..3s}\n"
        "  - power-loss: {of: shop, every: 8s, for: 1s..3s}\n"
        "expect: [ledger, outbox-no-missing, outbox-no-phantom, outbox-order-per-key]\n";
    const auto parsed = parse_scenario(text, "test.yaml", stock_services());
    EXPECT_TRUE(parsed) << parsed.error().front().text();
    return test::run(*parsed, 1);
}

TEST(StockServices, AnOutboxServiceHoldsOverAServerAndOverAFile) {
    for (const char* const database :
         {"{}", "{file: {}}", "{file: {journal-mode: truncate, synchronous: full}}"}) {
        for (const char* const options : {"", ", relay-by: cursor, gaps: ignored"}) {
            const bool is_server = std::string(database) == "{}";
            if (is_server && *options != '\0') continue; // a mistake there
            const RunResult run = run_outbox_service(database, options);
            EXPECT_EQ(run.verdict, properties::VerdictKind::holds) << database << options;
            EXPECT_EQ(run.ledger.effective, 400U) << database << options;
        }
    }
}

TEST(StockServices, AnOutboxServiceHasNothingOfAServerOverAFile) {
    const auto problem = [](const std::string& options) {
        const std::string text = "brokers: {events: {kafka: {}}}\n"
                                 "channels: {orders: {}}\n"
                                 "databases: {db: {file: {}}}\n"
                                 "services:\n"
                                 "  shop: {is: outbox-service, database: db, to: orders, " +
                                 options +
                                 "}\n"
                                 "load:\n"
                                 "  - {to: shop, rate: 1/s, for: 1s}\n"
                                 "expect: [ledger]\n";
        const auto parsed = parse_scenario(text, "test.yaml", stock_services());
        return parsed ? "" : parsed.error().front().text();
    };
    EXPECT_NE(problem("relay-by: cursor").find("`gaps: ignored`"), std::string::npos);
    EXPECT_EQ(problem("relay-by: cursor, gaps: ignored"), "");
    EXPECT_NE(problem("notify: on"), "");
    EXPECT_NE(problem("relay-by: change-stream, dead-key: goes-on"), "");
}

} // namespace
} // namespace crier::scenario
