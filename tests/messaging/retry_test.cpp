#include "messaging/retry.hpp"

#include "tests/messaging/fakes.hpp"

#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

using std::chrono::milliseconds;

RetryPolicy without_jitter() {
    RetryPolicy policy;
    policy.jitter = 0;
    policy.backoff_max = milliseconds(1000);
    return policy;
}

TEST(RetryDelay, GrowsByTheFactorUpToTheMaximum) {
    fakes::FakeIds ids("p");
    const RetryPolicy policy = without_jitter();
    EXPECT_EQ(retry_delay(policy, ids, "x", "m", 1), milliseconds(100));
    EXPECT_EQ(retry_delay(policy, ids, "x", "m", 2), milliseconds(200));
    EXPECT_EQ(retry_delay(policy, ids, "x", "m", 4), milliseconds(800));
    EXPECT_EQ(retry_delay(policy, ids, "x", "m", 5), milliseconds(1000));
    EXPECT_EQ(retry_delay(policy, ids, "x", "m", 2000000000), milliseconds(1000));
}

TEST(RetryDelay, StaysWithinTheJitter) {
    fakes::FakeIds ids("p");
    RetryPolicy policy = without_jitter();
    policy.jitter = 20;
    EXPECT_EQ(retry_delay(policy, ids, "x", "m", 1), milliseconds(80));
    ids.bits = 40'000'000;
    EXPECT_EQ(retry_delay(policy, ids, "x", "m", 1), milliseconds(120));
    ids.bits = ~std::uint64_t{0};
    EXPECT_LE(retry_delay(policy, ids, "x", "m", 1), milliseconds(120));
}

TEST(RetryDelay, IsNothingWithoutABackoff) {
    fakes::FakeIds ids("p");
    RetryPolicy policy;
    policy.backoff = Duration::zero();
    EXPECT_EQ(retry_delay(policy, ids, "x", "m", 50), Duration::zero());
}

TEST(RetryPolicy, NamesEveryProblem) {
    RetryPolicy policy;
    EXPECT_TRUE(policy.validate().empty());
    policy.attempts = 0;
    policy.factor = 0;
    policy.jitter = 101;
    EXPECT_EQ(policy.validate().size(), 3U);
}

} // namespace
} // namespace crier::messaging
