#pragma once

#include "broker-model/kafka/client/client_context.hpp"
#include "broker-model/kafka/client/metadata_cache.hpp"

#include <memory>
#include <vector>

// The admin port: one request after another to whoever it concerns, tried again until it is known
// what became of it. Source: Kafka KafkaAdminClient.

namespace crier::broker::kafka {

class SimAdmin final : public crier::kafka::Admin {
public:
    SimAdmin(const ClientContext& context, crier::kafka::AdminOptions options);
    ~SimAdmin() override { metadata_->close(); }

    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    delete_records(std::vector<crier::kafka::TopicPartitionOffset> before) override;
    [[nodiscard]] asio::awaitable<Outcome<void>>
    create_topic(crier::kafka::NewTopic topic) override;
    [[nodiscard]] asio::awaitable<Outcome<void>> create_partitions(std::string topic,
                                                                   std::int32_t count) override;
    [[nodiscard]] asio::awaitable<Outcome<void>> delete_topic(std::string topic) override;

private:
    [[nodiscard]] asio::awaitable<Outcome<Offset>> delete_records(PartitionId partition,
                                                                  Offset before);
    /// Asks the controller itself (KIP-919) until it answers.
    template <class Request>
    [[nodiscard]] asio::awaitable<Outcome<void>> ask_controller(Request request);

    ClientContext context_;
    crier::kafka::AdminOptions options_;
    std::shared_ptr<MetadataCache> metadata_;
};

} // namespace crier::broker::kafka
