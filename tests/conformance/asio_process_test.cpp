#include "messaging/asio_process.hpp"
#include "tests/conformance/real_process.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>

// The ports of a real process.

namespace crier::conformance {
namespace {

TEST(SecretIds, AreUuidsThatNeverRepeat) {
    messaging::SecretIds one;
    messaging::SecretIds two;
    const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) {
        ids.insert(one.next());
        ids.insert(two.next());
    }
    EXPECT_EQ(ids.size(), 2000U);
    EXPECT_TRUE(std::regex_match(*ids.begin(), form)) << *ids.begin();
}

TEST(SecretIds, DrawTheSameForTheSameDecisionOnly) {
    messaging::SecretIds ids;
    messaging::SecretIds others;
    const std::uint64_t drawn = ids.draw("jitter", "order-1", 3);
    EXPECT_EQ(ids.draw("jitter", "order-1", 3), drawn);
    EXPECT_NE(ids.draw("jitter", "order-1", 4), drawn);
    EXPECT_NE(ids.draw("jitter", "order-2", 3), drawn);
    EXPECT_NE(ids.draw("jitte", "rorder-1", 3), drawn);
    EXPECT_NE(others.draw("jitter", "order-1", 3), drawn);
}

asio::awaitable<void> fail() {
    throw std::runtime_error("out of luck");
    co_return;
}

asio::awaitable<void> wait(Clock& clock) {
    co_await clock.sleep(deadline * 2);
}

void spawn_failing_work() {
    RealProcess process;
    ProcessPorts ports = process.ports();
    ports.background.spawn("gambling", fail());
    process.run(wait(ports.clock));
}

TEST(AsioBackgroundDeathTest, EndsTheProcessWhenSomethingEscapes) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_DEATH(spawn_failing_work(), "'gambling' failed: out of luck");
}

asio::awaitable<void> sleep_twice(Clock& clock, Duration& slept) {
    const Instant before = clock.now();
    co_await clock.sleep(Duration::zero());
    co_await clock.sleep(std::chrono::milliseconds(2));
    slept = clock.now() - before;
}

TEST(AsioClock, SleepsAtLeastAsLongAsAsked) {
    RealProcess process;
    Duration slept{};
    process.run(sleep_twice(process.ports().clock, slept));
    EXPECT_GE(slept, std::chrono::milliseconds(2));
}

} // namespace
} // namespace crier::conformance
