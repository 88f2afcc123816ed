#pragma once

#include "broker-model/kafka/client_context.hpp"
#include "broker-model/kafka/metadata_cache.hpp"

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

private:
    [[nodiscard]] asio::awaitable<Outcome<Offset>> delete_records(PartitionId partition,
                                                                  Offset before);

    ClientContext context_;
    crier::kafka::AdminOptions options_;
    std::shared_ptr<MetadataCache> metadata_;
};

} // namespace crier::broker::kafka
