#include "messaging/kafka_publisher.hpp"

#include <algorithm>
#include <utility>

namespace crier::messaging {

kafka::ProducerRecord to_record(const std::string& topic, Message message) {
    kafka::ProducerRecord record;
    record.topic = topic;
    if (!message.key.empty()) record.key = std::move(message.key);
    record.value = std::move(message.body);
    record.headers.reserve(message.headers.size() + 1);
    record.headers.push_back({std::string(id_header), std::move(message.id)});
    std::move(message.headers.begin(), message.headers.end(), std::back_inserter(record.headers));
    return record;
}

Message to_message(kafka::ConsumerRecord record) {
    Message message;
    const auto id = std::find_if(record.headers.begin(), record.headers.end(),
                                 [](const Header& header) { return header.name == id_header; });
    if (id != record.headers.end()) {
        message.id = std::move(id->value);
        record.headers.erase(id);
    } else {
        message.id = kafka::place_of_record(record.topic, record.partition, record.offset);
    }
    if (record.key) message.key = std::move(*record.key);
    message.body = std::move(record.value);
    message.headers = std::move(record.headers);
    return message;
}

KafkaPublisher::KafkaPublisher(std::unique_ptr<kafka::Producer> producer)
    : producer_(std::move(producer)) {}

asio::awaitable<std::vector<Outcome<void>>> KafkaPublisher::publish(std::string channel,
                                                                    std::vector<Message> messages) {
    std::vector<kafka::ProducerRecord> records;
    records.reserve(messages.size());
    for (Message& message : messages)
        records.push_back(to_record(channel, std::move(message)));
    const std::vector<Outcome<kafka::RecordMetadata>> sent =
        co_await producer_->send(std::move(records));
    std::vector<Outcome<void>> outcomes;
    outcomes.reserve(sent.size());
    for (const Outcome<kafka::RecordMetadata>& outcome : sent) {
        if (outcome) {
            outcomes.emplace_back();
        } else {
            outcomes.emplace_back(outcome.error());
        }
    }
    co_return outcomes;
}

} // namespace crier::messaging
