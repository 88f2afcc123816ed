#include "sim/random.hpp"
#include "sim/strategy.hpp"

#include <chrono>
#include <gtest/gtest.h>
#include <set>

namespace crier::sim {
namespace {

constexpr Purpose one{"test.one"};
constexpr Purpose other{"test.other"};

TEST(Random, IsAPureFunctionOfSeedPurposeAndSubject) {
    const Random random(42);
    EXPECT_EQ(random.draw(one, 1u, 2u).bits(), Random(42).draw(one, 1u, 2u).bits());
    std::set<std::uint64_t> distinct{
        random.draw(one, 1u, 2u).bits(), random.draw(one, 2u, 1u).bits(),
        random.draw(other, 1u, 2u).bits(), Random(43).draw(one, 1u, 2u).bits(),
        random.draw(one, 1u).bits()};
    EXPECT_EQ(distinct.size(), 5u);
}

TEST(Random, HasFixedValuesOnEveryCompiler) {
    // Changing these changes every digest in the world: do it knowingly.
    EXPECT_EQ(mix(1, 2), 3279631503058519059u);
    EXPECT_EQ(hash_literal("network.latency"), 15550678732069748844u);
    EXPECT_EQ(hash_text("orders/0"), 4639836375437230806u);
}

TEST(Random, BelowIsUniform) {
    const Random random(1);
    std::array<int, 10> counts{};
    for (std::uint64_t at = 0; at < 100'000; ++at)
        ++counts[random.draw(one, at).below(10)];
    for (const int count : counts)
        EXPECT_NEAR(count, 10'000, 500);
}

TEST(Random, HappensAsOftenAsItSays) {
    const Random random(1);
    int hits = 0;
    for (std::uint64_t at = 0; at < 200'000; ++at)
        hits += random.draw(one, at).happens({5'000}) ? 1 : 0;
    EXPECT_NEAR(hits, 1000, 150);
    EXPECT_FALSE(random.draw(one, 1u).happens({0}));
    EXPECT_TRUE(random.draw(one, 1u).happens({1'000'000}));
}

TEST(Random, ExponentialHasItsMeanAndItsMedian) {
    const Random random(1);
    const Duration mean = std::chrono::milliseconds(100);
    Duration sum{};
    int below_median = 0;
    constexpr int count = 100'000;
    for (std::uint64_t at = 0; at < count; ++at) {
        const Duration drawn = random.draw(one, at).exponential(mean);
        ASSERT_GE(drawn.count(), 0);
        sum += drawn;
        below_median += drawn < std::chrono::microseconds(69'315) ? 1 : 0; // ln 2 of the mean
    }
    EXPECT_NEAR(static_cast<double>((sum / count).count()), 1e8, 1e6);
    EXPECT_NEAR(below_median, count / 2, 700);
}

TEST(Strategy, RandomRanksDifferByInstantAndPrioritiesDoNot) {
    const auto random = make_strategy(StrategyKind::random, 5);
    const auto fixed = make_strategy(StrategyKind::priorities, 5);
    const Instant early{std::chrono::seconds(1)};
    const Instant late{std::chrono::seconds(2)};
    EXPECT_EQ(random->rank(1, early), make_strategy(StrategyKind::random, 5)->rank(1, early));
    EXPECT_NE(random->rank(1, early), random->rank(1, late));
    EXPECT_EQ(fixed->rank(1, early), fixed->rank(1, late));
    EXPECT_NE(fixed->rank(1, early), fixed->rank(2, early));
}

} // namespace
} // namespace crier::sim
