#pragma once

#include "messaging/kafka/producer.hpp"

// A transactional producer over librdkafka, whose calls for transactions block: they run on the
// worker of the producer that sends the records.

namespace crier::messaging::kafka {

class RdkafkaTransactionalProducer final : public crier::kafka::TransactionalProducer {
public:
    RdkafkaTransactionalProducer(asio::any_io_executor executor, Clock& clock,
                                 const Settings& settings, Duration max_block);

    [[nodiscard]] asio::awaitable<std::vector<Outcome<crier::kafka::RecordMetadata>>>
    send(std::vector<crier::kafka::ProducerRecord> records) override;
    [[nodiscard]] asio::awaitable<void> flush() override { return producer_.flush(); }

    [[nodiscard]] asio::awaitable<Outcome<void>> init() override;
    void begin() override;
    [[nodiscard]] asio::awaitable<Outcome<void>>
    send_offsets(std::vector<crier::kafka::TopicPartitionOffset> offsets,
                 crier::kafka::GroupMetadata group) override;
    [[nodiscard]] asio::awaitable<Outcome<void>> commit() override;
    [[nodiscard]] asio::awaitable<Outcome<void>> abort() override;
    [[nodiscard]] crier::kafka::TransactionPhase phase() const override { return phase_; }

private:
    using Phase = crier::kafka::TransactionPhase;

    /// What a call that blocked brought, and where it leaves the producer.
    struct Result {
        Outcome<void> outcome;
        Phase phase;
    };

    [[nodiscard]] asio::awaitable<Outcome<void>> run(std::function<Result()> job);
    [[nodiscard]] asio::awaitable<Outcome<void>> end(bool committed);
    void expect_transaction(bool committed) const;

    int max_block_ms_;
    Phase phase_ = Phase::uninitialized;
    bool ends_with_commit_ = false; // of what is unsettled
    RdkafkaProducer producer_;      // last: its end waits for the jobs that use the rest
};

} // namespace crier::messaging::kafka
