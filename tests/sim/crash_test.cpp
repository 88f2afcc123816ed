// How processes end: at once, wholly, and without touching the world.
#include "tests/sim/fixture.hpp"

#include <boost/asio/experimental/channel.hpp>

namespace crier::sim::test {
namespace {

asio::awaitable<void> wait_inside(Body& body, int& frames, int depth) {
    const Counted frame(frames);
    if (depth > 0) co_return co_await wait_inside(body, frames, depth - 1);
    co_await body.ports.sleep(1h);
}

TEST(Crash, DestroysAllFramesAtOnce) {
    World world({});
    int frames = 0;
    Node& node = add_body(world, "n", [&](Body& body) { return wait_inside(body, frames, 3); });
    world.run_until(Instant(1s));
    EXPECT_EQ(frames, 4);
    node.crash("test");
    EXPECT_EQ(frames, 0);
    EXPECT_EQ(node.program(), nullptr);
}

TEST(Crash, DestroysCoroutinesThatWaitInAChannelTheyOwn) {
    World world({});
    int frames = 0;
    Node& node = add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        const Counted frame(frames);
        asio::experimental::channel<void(error_code, int)> channel(body.ports.executor(), 0);
        co_await channel.async_receive(asio::use_awaitable);
    });
    world.run_until(Instant(1s));
    EXPECT_EQ(frames, 1);
    node.crash("test");
    EXPECT_EQ(frames, 0);
}

struct Mourner {
    World& world;
    Body& body;
    ~Mourner() {
        body.ports.reached("too.late");
        body.ports.settled("m", Fate::done, "");
        world.record(events::healed);
        body.ports.spawn("too late", [](Body& inner) -> asio::awaitable<void> {
            co_await inner.ports.sleep(1ms);
            inner.ports.reached("much.too.late");
        }(body));
    }
};

TEST(Crash, DestructorsChangeNothingInTheWorld) {
    World world({});
    Node& node = add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        const Mourner mourner{world, body};
        co_await body.ports.sleep(1h);
    });
    world.run_until(Instant(1s));
    node.crash("test");
    const std::uint64_t events = world.history().count();
    world.run_until(Instant(2s));
    EXPECT_EQ(world.history().count(), events);
    EXPECT_FALSE(world.faults().is_healed());
}

// A fault that kills `node` when it reaches `point`, for good.
void die_at(World& world, const Node& node, std::string point, std::uint32_t nth = 1) {
    FaultSpec spec;
    spec.kind = FaultKind::crash;
    spec.nodes = {node.id()};
    spec.trigger.when = FaultTrigger::When::point;
    spec.trigger.name = std::move(point);
    spec.trigger.nth = nth;
    spec.what = "die at a point";
    world.faults().add(std::move(spec));
}

TEST(Ghost, RunsOnToItsNextAwaitAndNoFurther) {
    World world({});
    std::vector<std::string> log;
    Node& node = add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        body.ports.reached("before");
        log.emplace_back("still running");
        body.ports.reached("after"); // a ghost's report
        co_await body.ports.sleep(1ms);
        log.emplace_back("never");
    });
    die_at(world, node, "before");
    std::uint64_t points = 0;
    struct Sink final : EventSink {
        explicit Sink(std::uint64_t& count) : count_(count) {}
        void on_event(const Event& event) override {
            count_ += event.kind == events::point_reached.id ? 1 : 0;
        }
        std::uint64_t& count_;
    } sink(points);
    world.history().add_sink(sink);
    world.run_until(Instant(1s));
    EXPECT_EQ(log, std::vector<std::string>{"still running"});
    EXPECT_EQ(points, 1u);
    EXPECT_FALSE(node.is_up());
}

TEST(Ghost, IsNotSavedByACatchAllRetryLoop) {
    World world({});
    int tries = 0;
    int frames = 0;
    Node& node = add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        const Counted frame(frames);
        for (;;) {
            try {
                ++tries;
                body.ports.reached("in.loop");
                co_await body.ports.sleep(1ms);
            } catch (...) { // the loop that swallows everything
            }
        }
    });
    die_at(world, node, "in.loop", 3);
    world.run_until(Instant(1s));
    EXPECT_EQ(tries, 3);
    EXPECT_EQ(frames, 0);
}

/// A program that writes to its disk through a point, as an embedded database would.
asio::awaitable<void> write_twice(Body& body, int& reached) {
    File& file = body.node.disk().open("data");
    const std::byte mark{0x2A};
    for (std::size_t at = 0; at < 2; ++at) {
        body.ports.reached("disk.write");
        if (body.node.process().is_alive()) file.write(at, &mark, 1);
        body.ports.reached("disk.sync");
        if (body.node.process().is_alive()) file.sync();
        ++reached;
        co_await body.ports.sleep(1ms);
    }
}

TEST(Ghost, DeathInADiskWriteWritesNothing) {
    World world({});
    int rounds = 0;
    Node& node = add_body(world, "n", [&](Body& body) { return write_twice(body, rounds); });
    die_at(world, node, "disk.write", 2);
    world.run_until(Instant(1s));
    EXPECT_EQ(node.disk().open("data").size(), 1u);
    EXPECT_EQ(rounds, 2) << "the ghost ran to its next await";
}

TEST(Ghost, DeathInASyncKeepsThePageCacheUntilThePowerFails) {
    World world({});
    int rounds = 0;
    Node& node = add_body(world, "n", [&](Body& body) { return write_twice(body, rounds); });
    die_at(world, node, "disk.sync", 2);
    world.run_until(Instant(1s));
    EXPECT_EQ(node.disk().open("data").size(), 2u);
    constexpr bool thorough = true;
    node.lose_power(thorough);
    EXPECT_EQ(node.disk().open("data").size(), 1u);
}

TEST(PowerLoss, KeepsWhatWasSynced) {
    World world({});
    Node& node = add_body(world, "n");
    File& file = node.disk().open("f");
    std::vector<std::byte> bytes(5000, std::byte{1});
    file.write(0, bytes.data(), bytes.size());
    file.sync();
    bytes.assign(3000, std::byte{2});
    file.write(4000, bytes.data(), bytes.size());
    file.truncate(6500);
    constexpr bool thorough = true;
    node.lose_power(thorough);
    EXPECT_EQ(file.size(), 5000u);
    std::byte last{};
    EXPECT_EQ(file.read(4999, &last, 1), 1u);
    EXPECT_EQ(last, std::byte{1});
    EXPECT_FALSE(node.is_powered());
    node.start();
    EXPECT_TRUE(node.is_up());
}

TEST(Restart, IsANewIncarnationOverTheSameDisk) {
    World world({});
    std::vector<std::uint32_t> lives;
    Node& node = add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        lives.push_back(body.node.process().incarnation());
        const std::byte mark{7};
        File& file = body.node.disk().open("f");
        file.write(file.size(), &mark, 1);
        co_return;
    });
    world.faults().add(fault_at(FaultKind::crash, {node.id()}, 1s, 1s));
    world.run_until(Instant(5s));
    EXPECT_EQ(lives, (std::vector<std::uint32_t>{1, 2}));
    EXPECT_EQ(node.disk().open("f").size(), 2u);
}

TEST(Pause, FreezesTheProcessWhileTheWorldGoesOn) {
    World world({});
    std::vector<Duration> ticks;
    Node& node = add_body(world, "n", [&](Body& body) -> asio::awaitable<void> {
        for (int count = 0; count < 4; ++count) {
            co_await body.ports.sleep(1s);
            ticks.push_back(body.ports.now().time_since_epoch());
        }
    });
    world.faults().add(fault_at(FaultKind::pause, {node.id()}, 1500ms, 5s));
    world.faults().add(fault_at(FaultKind::pause, {node.id()}, 10s, 5s));
    world.run_until(Instant(20s));
    EXPECT_EQ(ticks, (std::vector<Duration>{1s, 6500ms, 7500ms, 8500ms}));
    EXPECT_EQ(world.faults().records()[0].hits, 1u); // one tick came late
    EXPECT_EQ(world.faults().records()[1].hits, 0u); // nothing was left to hold back
}

TEST(WallClock, HasOffsetAndDrift) {
    WallClock clock;
    clock.offset = 250ms;
    clock.drift_ppm = -100;
    const WallTime start{std::chrono::seconds(WallClock::epoch_seconds)};
    EXPECT_EQ(clock.read(Instant{}) - start, 250ms);
    EXPECT_EQ(clock.read(Instant(10000s)) - start, 10000s + 250ms - 1s);
}

} // namespace
} // namespace crier::sim::test
