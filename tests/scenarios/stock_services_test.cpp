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

} // namespace
} // namespace crier::scenario
