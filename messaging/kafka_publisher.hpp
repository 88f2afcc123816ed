#pragma once

#include "messaging/ports/kafka.hpp"
#include "messaging/ports/subscription.hpp"

#include <memory>

// The publisher port over a Kafka producer. The message's key is the record's key, so that one key
// stays in one partition; its id travels as header `id`.

namespace crier::messaging {

/// Returns `message` as a record; an empty key becomes no key.
[[nodiscard]] kafka::ProducerRecord to_record(const std::string& topic, Message message);

/// Returns the message of `record`. Without a header `id` its place is its id: `orders/3@42`.
[[nodiscard]] Message to_message(kafka::ConsumerRecord record);

/// Publishes to topics. As durable and as ordered as the producer's options make it.
class KafkaPublisher final : public Publisher {
public:
    explicit KafkaPublisher(std::unique_ptr<kafka::Producer> producer);

    asio::awaitable<std::vector<Outcome<void>>> publish(std::string channel,
                                                        std::vector<Message> messages) override;

private:
    std::unique_ptr<kafka::Producer> producer_;
};

} // namespace crier::messaging
