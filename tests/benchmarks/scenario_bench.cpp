// Whole runs: the correct catalogue scenario, messages end to end, and what a node costs in memory.
#include "broker-model/kafka/client.hpp"
#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/run.hpp"
#include "sim/world.hpp"

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

/// A fixed demand of records on a replicated topic.
struct Flow {
    std::uint64_t batch = 0;
    std::uint64_t total = 0;
    std::uint64_t received = 0;
};

asio::awaitable<void> produce(sim::ProcessPorts& ports, broker::kafka::SimKafkaClient& client,
                              Flow& flow) {
    kafka::ProducerOptions options;
    options.linger = Duration{};
    options.batch_size = 1 << 20;
    const std::unique_ptr<kafka::Producer> producer = client.producer(options);
    co_await ports.sleep(std::chrono::seconds(10)); // the group has formed
    for (std::uint64_t sent = 0; sent < flow.total; sent += flow.batch) {
        std::vector<kafka::ProducerRecord> records(flow.batch);
        for (kafka::ProducerRecord& record : records) {
            record.topic = "t";
            record.partition = 0;
            record.value.assign(100, 'x');
        }
        const auto outcomes = co_await producer->send(std::move(records));
        benchmark::DoNotOptimize(outcomes.size());
    }
}

asio::awaitable<void> consume(sim::ProcessPorts& ports, broker::kafka::SimKafkaClient& client,
                              Flow& flow) {
    kafka::ConsumerOptions options;
    options.group_id = "g";
    options.auto_offset_reset = kafka::OffsetReset::earliest;
    options.max_poll_records = 1'000'000;
    const std::unique_ptr<kafka::Consumer> consumer = client.consumer(options);
    std::vector<std::string> topics(1, "t");
    consumer->subscribe(std::move(topics), nullptr);
    while (flow.received < flow.total) {
        const auto records = co_await consumer->poll(std::chrono::seconds(1));
        if (records) flow.received += records->size();
    }
    co_await ports.sleep(std::chrono::seconds(6)); // one more auto-commit falls due
}

class Client final : public sim::Program {
public:
    Client(sim::Node& node, broker::kafka::Cluster& cluster)
        : ports(node), kafka(cluster, node, ports) {}

    sim::ProcessPorts ports;
    broker::kafka::SimKafkaClient kafka;
};

/// Produce, replicate to three with acks all, consume in a group that commits; `batch` records a
/// send.
void KafkaMessages(benchmark::State& state) {
    const auto batch = static_cast<std::uint64_t>(state.range(0));
    const std::uint64_t total = batch == 1 ? 20'000 : 400'000;
    for (auto unused : state) {
        (void)unused;
        Flow flow{batch, total};
        sim::World world({});
        broker::kafka::TopicOptions topic;
        topic.name = "t";
        topic.replication = 3;
        topic.min_insync = 2;
        broker::kafka::Cluster cluster(world, {}, {topic});
        sim::NodeOptions producer;
        producer.name = "producer";
        producer.entry = [&](sim::Node& node) {
            auto program = std::make_unique<Client>(node, cluster);
            program->ports.spawn("produce", produce(program->ports, program->kafka, flow));
            return program;
        };
        sim::NodeOptions consumer;
        consumer.name = "consumer";
        consumer.entry = [&](sim::Node& node) {
            auto program = std::make_unique<Client>(node, cluster);
            program->ports.spawn("consume", consume(program->ports, program->kafka, flow));
            return program;
        };
        cluster.start();
        world.add_node(std::move(producer)).start();
        world.add_node(std::move(consumer)).start();
        while (flow.received < flow.total &&
               world.run_until(world.now() + std::chrono::seconds(1))) {
        }
        world.end_processes();
        if (flow.received != flow.total) throw std::runtime_error("records are missing");
    }
    const double messages = static_cast<double>(total) * static_cast<double>(state.iterations());
    state.counters["messages/s"] = benchmark::Counter(messages, benchmark::Counter::kIsRate);
}
BENCHMARK(KafkaMessages)->Arg(1)->Arg(1'000)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace crier::bench
