#include "messaging/kafka/client.hpp"

#include "messaging/kafka/admin.hpp"
#include "messaging/kafka/consumer.hpp"
#include "messaging/kafka/producer.hpp"
#include "messaging/kafka/settings.hpp"
#include "messaging/kafka/transactional_producer.hpp"
#include "messaging/ports/ensure.hpp"

#include <utility>

namespace crier::messaging::kafka {

namespace {

/// What holds for every client of the cluster, then `own`, then the user's last word.
Settings with_common(Settings own, const ClientOptions& options) {
    own.insert_or_assign("bootstrap.servers", options.bootstrap_servers);
    for (const auto& [name, value] : options.settings)
        own.insert_or_assign(name, value);
    return own;
}

} // namespace

std::vector<std::string> ClientOptions::validate() const {
    std::vector<std::string> problems;
    if (bootstrap_servers.empty())
        problems.emplace_back("bootstrap_servers: at least one is needed");
    return problems;
}

RdkafkaClient::RdkafkaClient(Background& background, Clock& clock, ClientOptions options)
    : background_(background), clock_(clock), options_(std::move(options)) {
    ensure(options_.validate().empty(), "the options of a Kafka client are wrong");
}

std::unique_ptr<crier::kafka::Producer>
RdkafkaClient::producer(crier::kafka::ProducerOptions options) {
    return std::make_unique<RdkafkaProducer>(background_.executor(), clock_,
                                             with_common(producer_settings(options), options_),
                                             options.max_block);
}

std::unique_ptr<crier::kafka::TransactionalProducer>
RdkafkaClient::transactional_producer(crier::kafka::ProducerOptions options) {
    ensure(!options.transactional_id.empty(), "a transactional producer has a transactional id");
    return std::make_unique<RdkafkaTransactionalProducer>(
        background_.executor(), clock_, with_common(producer_settings(options), options_),
        options.max_block);
}

std::unique_ptr<crier::kafka::Consumer>
RdkafkaClient::consumer(crier::kafka::ConsumerOptions options) {
    Settings settings = with_common(consumer_settings(options), options_);
    return std::make_unique<RdkafkaConsumer>(background_.executor(), std::move(settings),
                                             std::move(options));
}

std::unique_ptr<crier::kafka::Admin> RdkafkaClient::admin(crier::kafka::AdminOptions options) {
    return std::make_unique<RdkafkaAdmin>(background_.executor(), with_common({}, options_),
                                          options);
}

} // namespace crier::messaging::kafka
