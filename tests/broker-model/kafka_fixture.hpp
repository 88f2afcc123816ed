#pragma once

#include "broker-model/events.hpp"
#include "broker-model/kafka/broker_api.hpp"
#include "broker-model/kafka/cluster.hpp"
#include "sim/world.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// A world with a Kafka cluster and one node that speaks the protocol by hand.

namespace crier::broker::kafka {

/// Keeps the events of one run.
class EventLog final : public sim::EventSink {
public:
    void on_event(const sim::Event& event) override { events.push_back(event); }

    [[nodiscard]] std::vector<sim::Event> of(const sim::EventKind& kind) const {
        std::vector<sim::Event> found;
        for (const sim::Event& event : events) {
            if (event.kind == kind.id) found.push_back(event);
        }
        return found;
    }

    std::vector<sim::Event> events;
};

/// A call that may still be under way.
template <class Answer>
using PendingCall = std::shared_ptr<std::optional<Outcome<Answer>>>;

class KafkaFixture {
public:
    explicit KafkaFixture(std::vector<TopicOptions> topics, ClusterOptions options = {},
                          std::uint64_t seed = 1)
        : world(with_seed(seed)), cluster(world, std::move(options), std::move(topics)),
          client(world.add_node(client_node())) {
        world.history().add_sink(log);
        cluster.start();
        client.start();
        run_until([this] { return cluster.is_whole(); }, std::chrono::seconds(10));
        run_for(std::chrono::milliseconds(20)); // the brokers know it, too
    }

    void run_for(Duration duration) { world.run_until(world.now() + duration); }

    /// Runs until `done()` or for at most `limit`. **Returns** whether it is done.
    template <class Done>
    bool run_until(Done done, Duration limit) {
        const Instant end = world.now() + limit;
        while (!done()) {
            if (!world.step(end)) {
                run_for(end - world.now());
                return done();
            }
        }
        return true;
    }

    template <class Answer, class Request>
    PendingCall<Answer> begin(BrokerId broker, const sim::CallKind& kind, Request request,
                              Duration timeout = std::chrono::seconds(60)) {
        auto pending = std::make_shared<std::optional<Outcome<Answer>>>();
        sim::CallOptions options;
        options.timeout = timeout;
        sim::Node& node = cluster.broker(broker);
        world.network().async_call<Answer>(
            client.process(), node, kind, options,
            [this, &node, sent = std::move(request)](sim::Process&,
                                                     sim::Reply<Answer> reply) mutable {
                serve_request(cluster, node, std::move(sent), std::move(reply));
            },
            [pending](Outcome<Answer> outcome) { pending->emplace(std::move(outcome)); });
        return pending;
    }

    template <class Answer>
    Outcome<Answer> finish(const PendingCall<Answer>& pending) {
        run_until([&] { return pending->has_value(); }, std::chrono::seconds(100));
        return **pending;
    }

    template <class Answer, class Request>
    Outcome<Answer> call(BrokerId broker, const sim::CallKind& kind, Request request) {
        return finish<Answer>(begin<Answer>(broker, kind, std::move(request)));
    }

    /// Returns the number of the broker that leads, 0 when there is none.
    [[nodiscard]] BrokerId leader(PartitionId partition) const {
        const sim::Node* const node = cluster.leader_of(partition);
        return node == nullptr ? 0 : node->id() - cluster.broker(1).id() + 1;
    }

    [[nodiscard]] static SharedBatch batch(const std::vector<std::string>& values) {
        auto made = std::make_shared<RecordBatch>();
        for (const std::string& value : values) {
            Record& record = made->records.emplace_back();
            record.value = value;
            made->bytes += 70 + value.size();
        }
        return made;
    }

    PendingCall<ProduceAnswer> begin_produce(BrokerId broker, PartitionId partition,
                                             const std::vector<std::string>& values,
                                             crier::kafka::Acks acks = crier::kafka::Acks::all,
                                             Duration timeout = std::chrono::seconds(30)) {
        ProduceRequest request;
        request.acks = acks;
        request.timeout = timeout;
        request.partitions.push_back({partition, batch(values)});
        return begin<ProduceAnswer>(broker, calls::produce, std::move(request));
    }

    /// Returns the answer for the one partition; a call without answer counts as NETWORK_EXCEPTION.
    ProducePartitionAnswer produce(BrokerId broker, PartitionId partition,
                                   const std::vector<std::string>& values,
                                   crier::kafka::Acks acks = crier::kafka::Acks::all,
                                   Duration timeout = std::chrono::seconds(30)) {
        const auto answer =
            finish<ProduceAnswer>(begin_produce(broker, partition, values, acks, timeout));
        if (answer) return answer->partitions.front();
        ProducePartitionAnswer failed;
        failed.error = ErrorCode::network_exception;
        return failed;
    }

    /// Returns what a consumer can read from `offset` on without waiting.
    FetchPartitionAnswer fetch(BrokerId broker, PartitionId partition, Offset offset,
                               std::int32_t leader_epoch = -1) {
        FetchRequest request;
        FetchPartition& asked = request.partitions.emplace_back();
        asked.partition = partition;
        asked.fetch_offset = offset;
        asked.current_leader_epoch = leader_epoch;
        const auto answer = call<FetchAnswer>(broker, calls::fetch, std::move(request));
        FetchPartitionAnswer nothing;
        if (!answer) nothing.error = ErrorCode::network_exception;
        return answer && !answer->partitions.empty() ? answer->partitions.front() : nothing;
    }

    /// Returns the values from the beginning that a consumer can see at the leader.
    std::vector<std::string> read_all(PartitionId partition) {
        std::vector<std::string> values;
        Offset offset = 0;
        for (;;) {
            const FetchPartitionAnswer part = fetch(leader(partition), partition, offset);
            if (part.batches.empty()) return values;
            for (const StoredBatch& stored : part.batches) {
                for (const Record& record : stored.batch->records)
                    values.push_back(record.value);
                offset = stored.end_offset();
            }
        }
    }

    sim::World world;
    EventLog log;
    Cluster cluster;
    sim::Node& client;

private:
    static sim::WorldOptions with_seed(std::uint64_t seed) {
        sim::WorldOptions options;
        options.seed = seed;
        return options;
    }

    static sim::NodeOptions client_node() {
        sim::NodeOptions node;
        node.name = "client";
        node.entry = [](sim::Node&) { return std::make_unique<sim::Program>(); };
        return node;
    }
};

/// Returns a topic with these numbers of partitions, replicas, and replicas in sync.
inline TopicOptions make_topic(std::string name, std::int32_t partitions, std::int32_t replication,
                               std::int32_t min_insync) {
    TopicOptions topic;
    topic.name = std::move(name);
    topic.partitions = partitions;
    topic.replication = replication;
    topic.min_insync = min_insync;
    return topic;
}

} // namespace crier::broker::kafka
