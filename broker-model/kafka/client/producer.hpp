#pragma once

#include "broker-model/kafka/client/producer_sender.hpp"

// The producer port: calls in, outcomes out. Batching, sending and retrying are the sender's.

namespace crier::broker::kafka {

/// Sends records and awaits their outcomes. **Source**: Kafka KafkaProducer.send.
[[nodiscard]] asio::awaitable<std::vector<Outcome<crier::kafka::RecordMetadata>>>
send_records(std::shared_ptr<ProducerSender> sender,
             std::vector<crier::kafka::ProducerRecord> records);
/// Awaits the outcomes of everything sent before.
[[nodiscard]] asio::awaitable<void> flush_records(std::shared_ptr<ProducerSender> sender);

class SimProducer final : public crier::kafka::Producer {
public:
    SimProducer(const ClientContext& context, crier::kafka::ProducerOptions options);
    ~SimProducer() override;

    [[nodiscard]] asio::awaitable<std::vector<Outcome<crier::kafka::RecordMetadata>>>
    send(std::vector<crier::kafka::ProducerRecord> records) override;

    [[nodiscard]] asio::awaitable<void> flush() override;

private:
    std::shared_ptr<ProducerSender> sender_; // outlived by what is under way
};

} // namespace crier::broker::kafka
