#pragma once

#include "broker-model/events.hpp"
#include "broker-model/kafka/client/client.hpp"
#include "broker-model/kafka/cluster.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// A world with a Kafka cluster and programs that use its client library, for tests of the client.

namespace crier::broker::kafka::testing {

using namespace std::chrono_literals;
using crier::kafka::ConsumerOptions;
using crier::kafka::ConsumerRecord;
using crier::kafka::ProducerOptions;
using crier::kafka::ProducerRecord;
using crier::kafka::RecordMetadata;
using crier::kafka::TopicPartition;
using crier::kafka::TopicPartitionOffset;
using Records = std::vector<ConsumerRecord>;
using SendOutcomes = std::vector<Outcome<RecordMetadata>>;

/// A process under test: its ports and its client library.
struct ClientProgram final : sim::Program {
    ClientProgram(sim::Node& home, Cluster& cluster)
        : node(home), ports(home), client(cluster, home, ports) {}

    sim::Node& node;
    sim::ProcessPorts ports;
    SimKafkaClient client;
};

/// What a process does in each of its lives.
using Main = std::function<asio::awaitable<void>(ClientProgram&)>;

inline TopicOptions topic_of(std::string name, std::int32_t partitions,
                             std::int32_t replication = 3, std::int32_t min_insync = 2) {
    TopicOptions topic;
    topic.name = std::move(name);
    topic.partitions = partitions;
    topic.replication = replication;
    topic.min_insync = min_insync;
    return topic;
}

inline sim::WorldOptions options_for(std::uint64_t seed) {
    sim::WorldOptions options;
    options.seed = seed;
    options.history.keep = true;
    return options;
}

inline ClusterOptions quick_cluster() {
    ClusterOptions options;
    options.group_initial_rebalance_delay = 100ms;
    return options;
}

struct Farm {
    explicit Farm(std::uint64_t seed, std::vector<TopicOptions> topics,
                  ClusterOptions options = quick_cluster())
        : world(options_for(seed)), cluster(world, std::move(options), std::move(topics)) {
        cluster.start();
        run_for(5s); // brokers register
    }

    sim::Node& add(std::string name, Main main) {
        sim::NodeOptions options;
        options.name = std::move(name);
        options.entry = [this, body = std::move(main)](sim::Node& node) {
            auto program = std::make_unique<ClientProgram>(node, cluster);
            program->ports.spawn("main", body(*program));
            return program;
        };
        sim::Node& node = world.add_node(std::move(options));
        node.start();
        return node;
    }

    void run_for(Duration duration) {
        ASSERT_TRUE(world.run_until(world.now() + duration))
            << (world.broken() ? world.broken()->what : "stopped");
    }

    std::uint32_t add_fault(sim::FaultKind kind, std::vector<std::uint32_t> nodes,
                            Duration duration) {
        sim::FaultSpec spec;
        spec.kind = kind;
        spec.nodes = std::move(nodes);
        spec.trigger.at = world.now() + 1ns;
        spec.duration = duration;
        return world.faults().add(std::move(spec));
    }

    std::uint32_t add_call_fault(sim::FaultKind kind, const sim::Node& client,
                                 const sim::CallKind& call, std::uint32_t nth) {
        sim::FaultSpec spec;
        spec.kind = kind;
        spec.nodes = {client.id()};
        spec.trigger.when = sim::FaultTrigger::When::call;
        spec.trigger.name = std::string(call.name);
        spec.trigger.nth = nth;
        return world.faults().add(std::move(spec));
    }

    [[nodiscard]] std::size_t count(const sim::EventKind& kind, const sim::Node* node = nullptr) {
        const auto events = world.history().events();
        return static_cast<std::size_t>(
            std::count_if(events.begin(), events.end(), [&](const sim::Event& event) {
                return event.kind == kind.id && (node == nullptr || event.node == node->id());
            }));
    }

    sim::World world;
    Cluster cluster;
};

inline ProducerRecord record_of(std::string topic, std::optional<std::string> key,
                                std::string value) {
    ProducerRecord record;
    record.topic = std::move(topic);
    record.key = std::move(key);
    record.value = std::move(value);
    return record;
}

inline ProducerRecord record_at(std::string topic, std::int32_t partition, std::string value) {
    ProducerRecord record;
    record.topic = std::move(topic);
    record.partition = partition;
    record.value = std::move(value);
    return record;
}

inline ConsumerOptions
group_options(std::string group,
              crier::kafka::OffsetReset reset = crier::kafka::OffsetReset::earliest) {
    ConsumerOptions options;
    options.group_id = std::move(group);
    options.auto_offset_reset = reset;
    return options;
}

/// What a consuming process has seen; outlives its lives.
struct Seen {
    std::vector<std::string> values;
    std::vector<std::string> notes; ///< Callbacks and outcomes, in order.
    std::vector<Outcome<void>> commits;
};

inline std::string list(const std::vector<TopicPartition>& partitions) {
    std::string text;
    for (const TopicPartition& partition : partitions) {
        if (!text.empty()) text += ' ';
        text += partition.topic + "/" + std::to_string(partition.partition);
    }
    return text;
}

/// Notes what it is told.
struct NotingListener final : crier::kafka::RebalanceListener {
    explicit NotingListener(Seen& where) : seen(where) {}

    asio::awaitable<void> partitions_revoked(std::vector<TopicPartition> partitions) override {
        seen.notes.push_back("revoked " + list(partitions));
        co_return;
    }
    asio::awaitable<void> partitions_assigned(std::vector<TopicPartition> partitions) override {
        seen.notes.push_back("assigned " + list(partitions));
        co_return;
    }
    asio::awaitable<void> partitions_lost(std::vector<TopicPartition> partitions) override {
        seen.notes.push_back("lost " + list(partitions));
        co_return;
    }

    Seen& seen;
};

/// Returns the positions after `records`, one per partition.
inline std::vector<TopicPartitionOffset> after(const Records& records) {
    std::map<TopicPartition, Offset> ends;
    for (const ConsumerRecord& record : records) {
        TopicPartition partition{record.topic, record.partition};
        ends[partition] = record.offset + 1;
    }
    std::vector<TopicPartitionOffset> offsets;
    for (const auto& [partition, end] : ends) {
        offsets.push_back({partition.topic, partition.partition, end});
    }
    return offsets;
}

/// Returns what lies in a partition, by the history: values in the order of their offsets.
inline std::vector<std::string> stored_in(Farm& farm, const std::string& topic,
                                          std::int32_t index) {
    const PartitionId partition = farm.cluster.partition(*farm.cluster.find_topic(topic), index);
    const std::uint64_t name = farm.cluster.info(partition).name_text;
    std::map<std::uint64_t, std::string> by_offset;
    for (const sim::Event& event : farm.world.history().events()) {
        if (event.kind == events::stored.id && event.operands[0] == name) {
            by_offset[event.operands[1]] = farm.world.history().texts().find(event.operands[2]);
        }
    }
    std::vector<std::string> values;
    for (const auto& [offset, value] : by_offset)
        values.push_back(value);
    return values;
}

struct Sent {
    SendOutcomes outcomes;
    Instant done{};
    bool finished = false;
};

inline asio::awaitable<void> send_all(ClientProgram& program, ProducerOptions options,
                                      std::vector<ProducerRecord> records, Sent& sent) {
    const auto producer = program.client.producer(std::move(options));
    sent.outcomes = co_await producer->send(std::move(records));
    sent.done = program.ports.now();
    sent.finished = true;
    co_await program.ports.sleep(std::chrono::hours(1));
}

inline std::vector<ProducerRecord> numbered(const std::string& topic, int count) {
    std::vector<ProducerRecord> records;
    for (int at = 0; at < count; ++at) {
        records.push_back(record_at(topic, 0, std::to_string(at)));
        records.back().headers.push_back({std::string(id_header), std::to_string(at)});
    }
    return records;
}

/// Small batches, so that every record travels alone.
inline ProducerOptions one_by_one() {
    ProducerOptions options;
    options.batch_size = 1;
    options.linger = 0ms;
    options.request_timeout = 1s;
    return options;
}

inline std::string code_of(const Outcome<RecordMetadata>& outcome) {
    if (outcome.has_value()) return "stored";
    return (is_unknown(outcome.error()) ? "unknown " : "failed ") + outcome.error().code.message();
}

} // namespace crier::broker::kafka::testing
