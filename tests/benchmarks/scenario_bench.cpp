// Whole runs: the correct catalogue scenario, messages end to end, and what a node costs in memory.
#include "broker-model/store/connections.hpp"
#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/run.hpp"
#include "sim/world.hpp"
#include "tests/benchmarks/kafka_flow.hpp"

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <memory>
#include <stdexcept>

namespace crier::bench {
namespace {

scenario::Scenario catalogue(const std::string& name) {
    const std::string file =
        std::string(CRIER_SOURCE_DIR) + "/scenarios/catalogue/" + name + ".yaml";
    auto loaded = scenario::load_scenario(file, scenario::stock_services());
    if (!loaded) throw std::runtime_error(loaded.error().front().text());
    return std::move(*loaded);
}

/// Seeds of the correct scenario: 1,000 orders, 60 virtual seconds and more, all faults, all
/// checkers.
void OrderFulfilment(benchmark::State& state) {
    broker::configure_sqlite();
    const scenario::Scenario scenario = catalogue("order-fulfilment");
    const scenario::ServiceTable services = scenario::stock_services();
    scenario::RunOptions options;
    options.connections = std::make_shared<broker::Connections>();
    options.seed = 0;
    for (auto unused : state) {
        (void)unused;
        ++options.seed;
        const scenario::RunResult run = scenario::run_scenario(scenario, services, options);
        if (run.verdict != properties::VerdictKind::holds)
            throw std::runtime_error("it does not hold");
    }
    state.counters["seeds/s"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(OrderFulfilment)->Unit(benchmark::kMillisecond);

/// The same system without faults and poison: orders/s from input through outbox, relay and
/// replication to two durable effects.
void OrdersEndToEnd(benchmark::State& state) {
    broker::configure_sqlite();
    scenario::Scenario scenario = catalogue("order-fulfilment");
    scenario.faults.clear();
    scenario.load.front().poison = {};
    const scenario::ServiceTable services = scenario::stock_services();
    std::uint64_t orders = 0;
    for (auto unused : state) {
        (void)unused;
        const scenario::RunResult run = scenario::run_scenario(scenario, services, {});
        orders += run.services.front().counts.effective;
    }
    state.counters["orders/s"] =
        benchmark::Counter(static_cast<double>(orders), benchmark::Counter::kIsRate);
}
BENCHMARK(OrdersEndToEnd)->Unit(benchmark::kMillisecond);

class Idle final : public sim::Program {};

/// Memory of a node with a running, idle process.
void BytesPerNode(benchmark::State& state) {
    constexpr int nodes = 1'000;
    double bytes = 0;
    for (auto unused : state) {
        (void)unused;
        auto world = std::make_unique<sim::World>(sim::WorldOptions{});
        const std::size_t before = mallinfo2().uordblks;
        for (int number = 0; number < nodes; ++number) {
            sim::NodeOptions options;
            options.name = "node/" + std::to_string(number);
            options.entry = [](sim::Node&) { return std::make_unique<Idle>(); };
            world->add_node(std::move(options)).start();
        }
        while (world->step(Instant{})) {
        }
        bytes = static_cast<double>(mallinfo2().uordblks - before) / nodes;
    }
    state.counters["bytes/node"] = bytes;
}
BENCHMARK(BytesPerNode)->Unit(benchmark::kMillisecond);

std::uint64_t flow_total(std::uint64_t batch) {
    return batch == 1 ? 20'000 : 400'000;
}

void run_flows(benchmark::State& state, FlowOptions options) {
    options.batch = static_cast<std::uint64_t>(state.range(0));
    options.total = flow_total(options.batch);
    for (auto unused : state) {
        (void)unused;
        run_flow(options);
    }
    const double messages =
        static_cast<double>(options.total) * static_cast<double>(state.iterations());
    state.counters["messages/s"] = benchmark::Counter(messages, benchmark::Counter::kIsRate);
    state.counters["time/million"] = benchmark::Counter(
        messages / 1e6, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// Produce, replicate to three with acks all, consume in a group that commits; `batch` records a
/// send.
void KafkaMessages(benchmark::State& state) {
    run_flows(state, {});
}
BENCHMARK(KafkaMessages)->Arg(1)->Arg(1'000)->Unit(benchmark::kMillisecond);

/// The same with the ledger and a checker that look on.
void KafkaMessagesChecked(benchmark::State& state) {
    FlowOptions options;
    options.has_checkers = true;
    run_flows(state, options);
}
BENCHMARK(KafkaMessagesChecked)->Arg(1)->Arg(1'000)->Unit(benchmark::kMillisecond);

/// One broker and a consumer that commits nothing.
void KafkaMessagesPlain(benchmark::State& state) {
    FlowOptions options;
    options.brokers = options.replication = options.min_insync = 1;
    options.commits = false;
    run_flows(state, options);
}
BENCHMARK(KafkaMessagesPlain)->Arg(1)->Arg(1'000)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace crier::bench
