#include "tests/benchmarks/kafka_flow.hpp"

#include "broker-model/kafka/client/client.hpp"
#include "properties/commit_not_ahead.hpp"
#include "properties/reading.hpp"
#include "sim/world.hpp"

#include <memory>
#include <stdexcept>

namespace crier::bench {

namespace {

struct Flow {
    FlowOptions options;
    std::uint64_t received = 0;
};

asio::awaitable<void> produce(sim::ProcessPorts& ports, broker::kafka::SimKafkaClient& client,
                              Flow& flow) {
    kafka::ProducerOptions options;
    options.linger = Duration{};
    options.batch_size = 1 << 20;
    const std::unique_ptr<kafka::Producer> producer = client.producer(options);
    co_await ports.sleep(std::chrono::seconds(10)); // the group has formed
    for (std::uint64_t sent = 0; sent < flow.options.total; sent += flow.options.batch) {
        std::vector<kafka::ProducerRecord> records(flow.options.batch);
        for (kafka::ProducerRecord& record : records) {
            record.topic = "t";
            record.partition = 0;
            record.value.assign(100, 'x');
        }
        const auto outcomes = co_await producer->send(std::move(records));
        if (outcomes.size() != flow.options.batch) throw std::runtime_error("outcomes are missing");
    }
}

asio::awaitable<void> consume(sim::ProcessPorts& ports, broker::kafka::SimKafkaClient& client,
                              Flow& flow) {
    kafka::ConsumerOptions options;
    options.group_id = "g";
    options.auto_offset_reset = kafka::OffsetReset::earliest;
    options.max_poll_records = 1'000'000;
    options.enable_auto_commit = flow.options.commits;
    const std::unique_ptr<kafka::Consumer> consumer = client.consumer(options);
    std::vector<std::string> topics(1, "t");
    consumer->subscribe(std::move(topics), nullptr);
    while (flow.received < flow.options.total) {
        const auto records = co_await consumer->poll(std::chrono::seconds(1));
        if (records) flow.received += records->size();
    }
    co_await ports.sleep(std::chrono::seconds(6)); // one more automatic commit falls due
}

class Client final : public sim::Program {
public:
    Client(sim::Node& node, broker::kafka::Cluster& cluster)
        : ports(node), kafka(cluster, node, ports) {}

    sim::ProcessPorts ports;
    broker::kafka::SimKafkaClient kafka;
};

using Main = asio::awaitable<void> (*)(sim::ProcessPorts&, broker::kafka::SimKafkaClient&, Flow&);

sim::Node& add_client(sim::World& world, broker::kafka::Cluster& cluster, std::string name,
                      Flow& flow, Main main) {
    sim::NodeOptions options;
    options.name = std::move(name);
    options.entry = [&cluster, &flow, main](sim::Node& node) {
        auto program = std::make_unique<Client>(node, cluster);
        program->ports.spawn("main", main(program->ports, program->kafka, flow));
        return program;
    };
    return world.add_node(std::move(options));
}

properties::Topology topology_of(sim::History& history, const sim::Node& consumer) {
    properties::Topology topology;
    properties::Channel channel;
    channel.name = "t";
    channel.partition_texts.push_back(history.name("t/0"));
    topology.partitions[channel.partition_texts.front()] = {0, 0};
    topology.channels.push_back(std::move(channel));
    properties::Subscriber subscriber;
    subscriber.service = subscriber.group = "g";
    subscriber.service_text = subscriber.group_text = history.name("g");
    subscriber.nodes.push_back(consumer.id());
    topology.subscribers.push_back(std::move(subscriber));
    properties::Flow flow;
    flow.subscribers.push_back(0);
    topology.flows.push_back(std::move(flow));
    return topology;
}

} // namespace

void run_flow(const FlowOptions& options, const std::function<void(std::uint64_t)>& look) {
    Flow flow{options};
    sim::World world({});
    broker::kafka::TopicOptions topic;
    topic.name = "t";
    topic.replication = options.replication;
    topic.min_insync = options.min_insync;
    topic.log = options.log;
    broker::kafka::ClusterOptions cluster_options;
    cluster_options.brokers = options.brokers;
    cluster_options.log_retention_check_interval = options.log_retention_check_interval;
    broker::kafka::Cluster cluster(world, cluster_options, {topic});
    sim::Node& producer = add_client(world, cluster, "producer", flow, produce);
    sim::Node& consumer = add_client(world, cluster, "consumer", flow, consume);
    const properties::Topology topology = topology_of(world.history(), consumer);
    std::unique_ptr<properties::Reading> reading;
    std::unique_ptr<properties::Checker> checker;
    if (options.has_checkers) {
        reading = std::make_unique<properties::Reading>(topology);
        checker = properties::make_commit_not_ahead(*reading, {});
        world.history().add_sink(*reading);
    }
    cluster.start();
    producer.start();
    consumer.start();
    while (flow.received < options.total &&
           world.run_until(world.now() + std::chrono::seconds(1))) {
        if (look) look(flow.received);
    }
    world.end_processes();
    if (flow.received != options.total) throw std::runtime_error("records are missing");
}

} // namespace crier::bench
