#pragma once

#include "broker-model/kafka/client/producer_sender.hpp"

// The transactional producer's port: which calls are allowed when, and what has to be sent or
// dropped before a transaction ends. Source: Kafka KafkaProducer.

namespace crier::broker::kafka {

class SimTransactionalProducer final : public crier::kafka::TransactionalProducer {
public:
    SimTransactionalProducer(const ClientContext& context, crier::kafka::ProducerOptions options);
    ~SimTransactionalProducer() override;

    [[nodiscard]] asio::awaitable<std::vector<Outcome<crier::kafka::RecordMetadata>>>
    send(std::vector<crier::kafka::ProducerRecord> records) override;
    [[nodiscard]] asio::awaitable<void> flush() override;

    [[nodiscard]] asio::awaitable<Outcome<void>> init() override;
    void begin() override;
    [[nodiscard]] asio::awaitable<Outcome<void>>
    send_offsets(std::vector<crier::kafka::TopicPartitionOffset> offsets,
                 crier::kafka::GroupMetadata group) override;
    [[nodiscard]] asio::awaitable<Outcome<void>> commit() override;
    [[nodiscard]] asio::awaitable<Outcome<void>> abort() override;
    [[nodiscard]] TransactionPhase phase() const override;

private:
    std::shared_ptr<ProducerSender> sender_; // outlived by what is under way
};

} // namespace crier::broker::kafka
