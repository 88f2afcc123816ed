#include "tests/benchmarks/workloads.hpp"

#include "sim/process_ports.hpp"
#include "sim/timer.hpp"
#include "sim/world.hpp"

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <queue>
#include <vector>

namespace crier::bench {

namespace {

// One cheap generator for both sides of the comparison.
struct Delays {
    std::uint64_t state = 88172645463325252u;

    std::int64_t next() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return static_cast<std::int64_t>(state & 0xFFFFF) + 1;
    }
};

struct Tally {
    Delays delays;
    std::uint64_t left = 0;
    std::uint64_t sum = 0;
};

struct Entry {
    std::int64_t time;
    std::uint64_t sequence;
    void (*function)(Tally&);

    bool operator<(const Entry& other) const {
        return time != other.time ? time > other.time : sequence > other.sequence;
    }
};

void count_one(Tally& tally) {
    ++tally.sum;
}

} // namespace

std::uint64_t hold_yardstick(std::uint64_t pending, std::uint64_t operations) {
    Tally tally;
    std::priority_queue<Entry> queue;
    std::uint64_t sequence = 0;
    for (std::uint64_t at = 0; at < pending; ++at)
        queue.push({tally.delays.next(), ++sequence, &count_one});
    for (std::uint64_t at = 0; at < operations; ++at) {
        const Entry entry = queue.top();
        queue.pop();
        entry.function(tally);
        queue.push({entry.time + tally.delays.next(), ++sequence, &count_one});
    }
    return tally.sum + static_cast<std::uint64_t>(queue.top().time);
}

namespace {

/// A handler that the kernel cannot see through: it owns a function object and goes through the
/// executor.
struct HoldHandler {
    Tally* tally;
    sim::Process* process;

    void operator()() const {
        ++tally->sum;
        if (tally->left == 0) return;
        --tally->left;
        sim::Kernel& kernel = process->kernel();
        kernel.at(*process, kernel.now() + Duration(tally->delays.next()),
                  HoldHandler{tally, process});
    }
};

class Idle final : public sim::Program {};

sim::Node& idle_node(sim::World& world, const char* name) {
    sim::NodeOptions options;
    options.name = name;
    options.entry = [](sim::Node&) { return std::make_unique<Idle>(); };
    sim::Node& node = world.add_node(std::move(options));
    node.start();
    return node;
}

} // namespace

std::uint64_t hold_kernel(std::uint64_t pending, std::uint64_t operations) {
    sim::World world({});
    sim::Node& node = idle_node(world, "holder");
    while (world.step(Instant{})) {
    }
    Tally tally;
    tally.left = operations;
    sim::Process& process = node.process();
    for (std::uint64_t at = 0; at < pending; ++at) {
        world.kernel().at(process, Instant(Duration(tally.delays.next())),
                          HoldHandler{&tally, &process});
    }
    while (tally.left > 0 && world.step(Instant::max())) {
    }
    return tally.sum + static_cast<std::uint64_t>(world.now().time_since_epoch().count());
}

namespace {

asio::awaitable<void> sleep_again_and_again(sim::Process& process, Tally& tally) {
    while (tally.left > 0) {
        --tally.left;
        const Instant due = process.kernel().now() + Duration(tally.delays.next());
        co_await sim::async_sleep_until(process, due, asio::deferred);
        ++tally.sum;
    }
}

} // namespace

std::uint64_t sleeping_coroutines(std::uint64_t sleepers, std::uint64_t operations) {
    sim::World world({});
    sim::Node& node = idle_node(world, "sleeper");
    while (world.step(Instant{})) {
    }
    Tally tally;
    tally.left = operations;
    sim::ProcessPorts ports(node);
    for (std::uint64_t at = 0; at < sleepers; ++at) {
        ports.spawn("sleeper", sleep_again_and_again(node.process(), tally));
    }
    while (world.step(Instant::max())) {
    }
    return tally.sum + static_cast<std::uint64_t>(world.now().time_since_epoch().count());
}

namespace {

inline constexpr sim::CallKind ball{"ball"};

struct Rally {
    sim::World& world;
    std::array<sim::Node*, 2> players;
    std::uint64_t left;
    std::uint64_t sum = 0;

    void hit(std::size_t player, const std::array<char, 100>& payload) {
        sum += static_cast<unsigned char>(payload[left % payload.size()]);
        if (left == 0) return;
        --left;
        sim::Node& to = *players[1 - player];
        world.network().send(players[player]->process(), to, ball, payload.size(), 0,
                             [this, player, payload](sim::Process&) { hit(1 - player, payload); });
    }
};

} // namespace

std::uint64_t ping_pong(std::uint64_t operations) {
    sim::World world({});
    Rally rally{world, {&idle_node(world, "ping"), &idle_node(world, "pong")}, operations};
    while (world.step(Instant{})) {
    }
    std::array<char, 100> payload{};
    payload.fill('x');
    world.kernel().post(rally.players[0]->process(), [&rally, payload] { rally.hit(0, payload); });
    while (world.step(Instant::max())) {
    }
    return rally.sum + static_cast<std::uint64_t>(world.now().time_since_epoch().count());
}

} // namespace crier::bench
