#pragma once

#include "messaging/asio_worker.hpp"
#include "messaging/kafka/settings.hpp"
#include "messaging/ports/kafka.hpp"

#include <memory>
#include <vector>

// The admin port over librdkafka, whose requests are awaited on the worker's thread.

namespace crier::messaging::kafka {

class RdkafkaAdmin final : public crier::kafka::Admin {
public:
    RdkafkaAdmin(asio::any_io_executor executor, const Settings& settings,
                 crier::kafka::AdminOptions options);
    ~RdkafkaAdmin() override;
    [[nodiscard]] asio::awaitable<Outcome<void>>
    create_topic(crier::kafka::NewTopic topic) override;
    [[nodiscard]] asio::awaitable<Outcome<void>> create_partitions(std::string topic,
                                                                   std::int32_t count) override;
    [[nodiscard]] asio::awaitable<Outcome<void>> delete_topic(std::string topic) override;
    RdkafkaAdmin(const RdkafkaAdmin&) = delete;
    RdkafkaAdmin& operator=(const RdkafkaAdmin&) = delete;

    [[nodiscard]] asio::awaitable<Outcome<std::vector<crier::kafka::TopicPartitionOffset>>>
    delete_records(std::vector<crier::kafka::TopicPartitionOffset> before) override;

private:
    class Handle;

    std::unique_ptr<Handle> handle_; ///< Used by the worker only.
    AsioWorker worker_;              ///< Last: its end waits for the jobs that use the rest.
};

} // namespace crier::messaging::kafka
