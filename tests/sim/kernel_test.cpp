#include "tests/sim/fixture.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <thread>

namespace crier::sim::test {
namespace {

// The queue against a sorted list: same order, whatever is cancelled in between.
TEST(EventQueue, GivesTimeThenKeyOrderWithCancellationsAndSweeps) {
    World world({});
    Node& node = add_body(world, "n");
    world.run_until(Instant{});
    const Random random(3);
    static constexpr Purpose when{"test.when"};
    std::vector<std::pair<Duration, int>> expected;
    std::vector<int> ran;
    for (int number = 0; number < 5000; ++number) {
        const auto at =
            Duration(static_cast<std::int64_t>(random.draw(when, number).below(1000)) + 1);
        const auto handler = [&ran, number] { ran.push_back(number); };
        auto* task = world.kernel().at(node.process(), Instant(at), handler);
        if (number % 3 != 0) {
            world.kernel().discard(task); // two thirds: enough for sweeps
        } else {
            expected.emplace_back(at, number);
        }
    }
    std::sort(expected.begin(), expected.end());
    EXPECT_LT(world.kernel().pending(), 4000u) << "tombstones are swept";
    world.run_until(Instant(1s));
    ASSERT_EQ(ran.size(), expected.size());
    for (std::size_t at = 0; at < ran.size(); ++at)
        EXPECT_EQ(ran[at], expected[at].second);
}

std::uint64_t digest_of(StrategyKind strategy, std::uint64_t seed) {
    WorldOptions options;
    options.seed = seed;
    options.strategy = strategy;
    World world(options);
    for (const char* name : {"a", "b", "c"}) {
        add_body(world, name, [](Body& body) -> asio::awaitable<void> {
            for (int round = 0; round < 20; ++round) {
                body.ports.reached("round");
                co_await body.ports.sleep(1ms);
            }
        });
    }
    world.faults().add(fault_at(FaultKind::crash, {2}, 5ms, 3ms));
    world.run_until(Instant(1s));
    return world.history().digest();
}

TEST(Digest, IsTheSameAloneAndAfterOtherWorldsOnTwoThreads) {
    const std::uint64_t alone = digest_of(StrategyKind::random, 11);
    std::array<std::uint64_t, 2> among{};
    {
        std::array<std::jthread, 2> threads;
        for (std::size_t thread = 0; thread < 2; ++thread) {
            threads[thread] = std::jthread([&among, thread] {
                for (std::uint64_t seed = 100; seed < 125; ++seed)
                    digest_of(StrategyKind::random, seed);
                among[thread] = digest_of(StrategyKind::random, 11);
            });
        }
    }
    EXPECT_EQ(among[0], alone);
    EXPECT_EQ(among[1], alone);
}

TEST(Digest, DependsOnSeedAndStrategy) {
    EXPECT_NE(digest_of(StrategyKind::random, 11), digest_of(StrategyKind::random, 12));
    EXPECT_NE(digest_of(StrategyKind::random, 11), digest_of(StrategyKind::in_order, 11));
    EXPECT_EQ(digest_of(StrategyKind::in_order, 11), digest_of(StrategyKind::in_order, 12))
        << "without a draw the seed must not matter";
}

TEST(Strategy, InOrderRunsRacersInTheOrderOfTheirStart) {
    WorldOptions options;
    options.strategy = StrategyKind::in_order;
    World world(options);
    std::string order;
    for (const char* name : {"c", "a", "b"}) {
        add_body(world, name, [&order, name](Body& body) -> asio::awaitable<void> {
            for (int round = 0; round < 2; ++round) {
                order += name;
                co_await body.ports.sleep(1ms);
            }
        });
    }
    world.run_until(Instant(1s));
    EXPECT_EQ(order, "cabcab");
}

TEST(Strategy, RandomFindsEveryOrderOfRacers) {
    std::set<std::string> orders;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        WorldOptions options;
        options.seed = seed;
        options.strategy = StrategyKind::random;
        World world(options);
        std::string order;
        for (const char* name : {"a", "b", "c"}) {
            add_body(world, name, [&order, name](Body& body) -> asio::awaitable<void> {
                co_await body.ports.sleep(1ms);
                order += name;
            });
        }
        world.run_until(Instant(1s));
        orders.insert(order);
    }
    EXPECT_EQ(orders.size(), 6u);
}

TEST(History, KeepsEventsCausesAndTexts) {
    WorldOptions options;
    options.history.keep = true;
    World world(options);
    add_body(world, "n", [](Body& body) -> asio::awaitable<void> {
        body.ports.reached("first");
        co_await body.ports.sleep(1ms);
        body.ports.reached("second");
    });
    world.run_until(Instant(1s));
    const auto events = world.history().events();
    ASSERT_EQ(events.size(), 4u); // added, started, two points
    EXPECT_EQ(world.history().texts().find(events[2].operands[0]), "first");
    EXPECT_EQ(events[3].cause, events[2].sequence);
    EXPECT_EQ(events[3].time, Duration(1ms).count());
}

TEST(History, HasTheSameDigestKeptOrNot) {
    std::array<std::uint64_t, 2> digests{};
    for (const bool keep : {false, true}) {
        WorldOptions options;
        options.history.keep = keep;
        World world(options);
        add_body(world, "n", [](Body& body) -> asio::awaitable<void> {
            body.ports.settled("message", Fate::parked, "reason");
            co_return;
        });
        world.run_until(Instant(1s));
        digests[keep ? 1 : 0] = world.history().digest();
    }
    EXPECT_EQ(digests[0], digests[1]);
}

} // namespace
} // namespace crier::sim::test
