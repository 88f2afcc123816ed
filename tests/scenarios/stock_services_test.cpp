#include "scenarios/load_scenario.hpp"

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

} // namespace
} // namespace crier::scenario
