// Asio's own machinery on virtual time: what product code may use unchanged.
#include "tests/sim/fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>

namespace crier::sim::test {
namespace {

using Channel = asio::experimental::channel<void(error_code, int)>;

TEST(Asio, SleepsTakeVirtualTimeInTheirOrder) {
    World world({});
    std::vector<std::string> log;
    const auto sleeper = [&log](std::string name, Duration wait) {
        return [&log, name, wait](Body& body) -> asio::awaitable<void> {
            co_await body.ports.sleep(wait);
            log.push_back(name + "@" + std::to_string(body.ports.now().time_since_epoch() / 1ms));
        };
    };
    add_body(world, "b", sleeper("b", 20ms));
    add_body(world, "a", sleeper("a", 10ms));
    EXPECT_TRUE(world.run_until(Instant(1s)));
    EXPECT_EQ(log, (std::vector<std::string>{"a@10", "b@20"}));
    EXPECT_EQ(world.now(), Instant(1s));
}

asio::awaitable<int> add_later(Body& body, int a, int b) {
    co_await body.ports.sleep(5ms);
    co_return a + b;
}

TEST(Asio, NestedCoroutinesReturnValuesAndExceptions) {
    World world({});
    int sum = 0;
    std::string caught;
    add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        sum = co_await add_later(body, 2, 3);
        try {
            co_await [](Body& inner) -> asio::awaitable<void> {
                co_await inner.ports.sleep(1ms);
                throw std::runtime_error("inner");
            }(body);
        } catch (const std::runtime_error& error) {
            caught = error.what();
        }
    });
    world.run_until(Instant(1s));
    EXPECT_EQ(sum, 5);
    EXPECT_EQ(caught, "inner");
}

TEST(Asio, TheFirstOfTwoWinsAndTheOtherIsCancelled) {
    World world({});
    std::size_t winner = 9;
    Instant at;
    add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        const auto both = co_await (body.ports.sleep(30ms) || body.ports.sleep(10ms));
        winner = both.index();
        at = body.ports.now();
    });
    world.run_until(Instant(1s));
    EXPECT_EQ(winner, 1u);
    EXPECT_EQ(at, Instant(10ms));
    EXPECT_FALSE(world.broken());
}

TEST(Asio, BothOfTwoAreAwaited) {
    World world({});
    int sum = 0;
    add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        const auto both = co_await (add_later(body, 1, 2) && add_later(body, 3, 4));
        sum = std::get<0>(both) * 10 + std::get<1>(both);
    });
    world.run_until(Instant(1s));
    EXPECT_EQ(sum, 37);
}

TEST(Asio, ChannelsCarryValuesBetweenCoroutinesOfAProcess) {
    World world({});
    std::vector<int> received;
    std::unique_ptr<Channel> channel;
    add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        channel = std::make_unique<Channel>(body.ports.executor(), 2);
        body.ports.spawn("sender", [](Body& inner, Channel& to) -> asio::awaitable<void> {
            for (int value = 1; value <= 3; ++value) {
                co_await inner.ports.sleep(1ms);
                co_await to.async_send(error_code(), value, asio::use_awaitable);
            }
        }(body, *channel));
        for (int count = 0; count < 3; ++count) {
            const int value = co_await channel->async_receive(asio::use_awaitable);
            received.push_back(value);
        }
    });
    world.run_until(Instant(1s));
    EXPECT_EQ(received, (std::vector<int>{1, 2, 3}));
    world.end_processes();
    channel.reset();
}

TEST(Asio, ACancellationSlotEndsASleepEarly) {
    World world({});
    asio::cancellation_signal signal;
    error_code seen;
    Instant at;
    Node& node = add_body(world, "n");
    world.run_until(Instant{});
    async_sleep_until(node.process(), Instant(1s),
                      asio::bind_cancellation_slot(signal.slot(), [&](error_code code) {
                          seen = code;
                          at = world.now();
                      }));
    world.kernel().at(node.process(), Instant(100ms),
                      [&] { signal.emit(asio::cancellation_type::terminal); });
    world.run_until(Instant(2s));
    EXPECT_EQ(seen, asio::error::operation_aborted);
    EXPECT_EQ(at, Instant(100ms));
}

TEST(Asio, AnEscapedExceptionCrashesTheNodeAndItsSupervisorStartsItAgain) {
    World world({});
    int lives = 0;
    Node& node = add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        ++lives;
        co_await body.ports.sleep(10ms);
        if (lives == 1) throw std::runtime_error("boom");
    });
    world.run_until(Instant(500ms));
    EXPECT_FALSE(node.is_up());
    world.run_until(Instant(2s));
    EXPECT_TRUE(node.is_up());
    EXPECT_EQ(lives, 2);
    EXPECT_FALSE(world.broken());
}

TEST(Asio, ABrokenContractInBackgroundWorkEndsTheRun) {
    World world({});
    add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        co_await body.ports.sleep(10ms);
        ensure(false, "one and one is three");
    });
    EXPECT_FALSE(world.run_until(Instant(1s)));
    ASSERT_TRUE(world.broken());
    EXPECT_NE(world.broken()->what.find("one and one is three"), std::string::npos);
}

TEST(Asio, ARecordedViolationStaysEvenIfItIsCaught) {
    World world({});
    add_body(world, "n", [&](Body&) -> asio::awaitable<void> {
        try {
            world.require(false, "never");
        } catch (...) {
        }
        co_return;
    });
    EXPECT_FALSE(world.run_until(Instant(1s)));
    ASSERT_TRUE(world.broken());
    EXPECT_EQ(world.broken()->node, "n");
}

TEST(Asio, ARunWhoseTimeStandsStillIsStopped) {
    WorldOptions options;
    options.steps_per_instant_max = 1000;
    World world(options);
    add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        for (;;)
            co_await body.ports.sleep(0ns);
    });
    EXPECT_FALSE(world.run_until(Instant(1s)));
    ASSERT_TRUE(world.broken());
    EXPECT_NE(world.broken()->what.find("time stands still"), std::string::npos);
}

} // namespace
} // namespace crier::sim::test
