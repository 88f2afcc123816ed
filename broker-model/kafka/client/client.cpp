#include "broker-model/kafka/client/client.hpp"

#include "broker-model/kafka/client/admin.hpp"
#include "broker-model/kafka/client/consumer.hpp"
#include "broker-model/kafka/client/producer.hpp"
#include "broker-model/kafka/client/share_consumer.hpp"
#include "broker-model/kafka/client/transactional_producer.hpp"

namespace crier::broker::kafka {

SimKafkaClient::SimKafkaClient(Cluster& cluster, sim::Node& home, sim::ProcessPorts& ports)
    : cluster_(cluster), home_(home), ports_(ports) {}

std::unique_ptr<crier::kafka::Producer>
SimKafkaClient::producer(crier::kafka::ProducerOptions options) {
    const ClientContext context(cluster_, home_, ports_, ++clients_);
    return std::make_unique<SimProducer>(context, std::move(options));
}

std::unique_ptr<crier::kafka::TransactionalProducer>
SimKafkaClient::transactional_producer(crier::kafka::ProducerOptions options) {
    const ClientContext context(cluster_, home_, ports_, ++clients_);
    return std::make_unique<SimTransactionalProducer>(context, std::move(options));
}

std::unique_ptr<crier::kafka::Consumer>
SimKafkaClient::consumer(crier::kafka::ConsumerOptions options) {
    const ClientContext context(cluster_, home_, ports_, ++clients_);
    return std::make_unique<SimConsumer>(context, std::move(options));
}

std::unique_ptr<crier::kafka::Admin> SimKafkaClient::admin(crier::kafka::AdminOptions options) {
    const ClientContext context(cluster_, home_, ports_, ++clients_);
    return std::make_unique<SimAdmin>(context, options);
}

std::unique_ptr<crier::kafka::ShareConsumer>
SimKafkaClient::share_consumer(crier::kafka::ShareConsumerOptions options) {
    const ClientContext context(cluster_, home_, ports_, ++clients_);
    return std::make_unique<SimShareConsumer>(context, std::move(options));
}

} // namespace crier::broker::kafka
