#pragma once

#include "broker-model/kafka/cluster.hpp"
#include "messaging/ports/kafka.hpp"
#include "messaging/ports/kafka_share.hpp"
#include "sim/process_ports.hpp"

#include <cstdint>
#include <memory>

// The Kafka client library inside one simulated process. It knows the cluster only as a list of
// bootstrap addresses and the names of topics; everything else it learns by asking brokers.

namespace crier::broker::kafka {

/// Makes producers and consumers that run in the process of `home` and talk to `cluster` over the
/// world's network. A member of the program that runs in the process; what it makes may be
/// destroyed before or after it, all within the life of the process.
class SimKafkaClient final : public crier::kafka::Client, public crier::kafka::ShareClient {
public:
    /// **Requires** a running process on `home`; `ports` are its ports.
    SimKafkaClient(Cluster& cluster, sim::Node& home, sim::ProcessPorts& ports);

    [[nodiscard]] std::unique_ptr<crier::kafka::Producer>
    producer(crier::kafka::ProducerOptions options) override;
    [[nodiscard]] std::unique_ptr<crier::kafka::TransactionalProducer>
    transactional_producer(crier::kafka::ProducerOptions options) override;
    [[nodiscard]] std::unique_ptr<crier::kafka::Consumer>
    consumer(crier::kafka::ConsumerOptions options) override;
    [[nodiscard]] std::unique_ptr<crier::kafka::ShareConsumer>
    share_consumer(crier::kafka::ShareConsumerOptions options) override;
    [[nodiscard]] std::unique_ptr<crier::kafka::Admin>
    admin(crier::kafka::AdminOptions options) override;

private:
    Cluster& cluster_;
    sim::Node& home_;
    sim::ProcessPorts& ports_;
    std::uint64_t clients_ = 0; // made in this life, which tells their draws apart
};

} // namespace crier::broker::kafka
