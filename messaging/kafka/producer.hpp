#pragma once

#include "messaging/asio_worker.hpp"
#include "messaging/kafka/settings.hpp"
#include "messaging/ports/clock.hpp"
#include "messaging/ports/kafka.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

// A producer over librdkafka. A thread of its own waits for delivery reports and carries them to
// the process's executor; queueing never blocks. It adds no retries: librdkafka's are the ones.

struct rd_kafka_s;

namespace crier::messaging::kafka {

/// Sends records. **Lifetime**: destroying it drops what was not delivered; `flush` before that.
class RdkafkaProducer final : public crier::kafka::Producer {
public:
    /// `max_block` bounds the waiting for room in librdkafka's queue.
    RdkafkaProducer(asio::any_io_executor executor, Clock& clock, const Settings& settings,
                    Duration max_block);
    ~RdkafkaProducer() override;
    RdkafkaProducer(const RdkafkaProducer&) = delete;
    RdkafkaProducer& operator=(const RdkafkaProducer&) = delete;

    [[nodiscard]] asio::awaitable<std::vector<Outcome<crier::kafka::RecordMetadata>>>
    send(std::vector<crier::kafka::ProducerRecord> records) override;

    /// Also ends the lingering of what is queued.
    [[nodiscard]] asio::awaitable<void> flush() override;

    /// For what else blocks in librdkafka with the same handle.
    [[nodiscard]] rd_kafka_s* handle() const { return handle_; }
    [[nodiscard]] AsioWorker& worker() { return worker_; }

private:
    class Batch;
    struct Place;

    /// Returns false when there is no room and the caller wants to wait for it; else the record is
    /// on its way or has its failure.
    bool queue(const std::shared_ptr<Batch>& batch, std::size_t index,
               const crier::kafka::ProducerRecord& record, bool may_wait);
    void report_deliveries();

    asio::any_io_executor executor_;
    Clock& clock_;
    Duration max_block_;
    rd_kafka_s* handle_;
    std::atomic<bool> closing_ = false;
    AsioWorker worker_;
    std::thread reporter_;
};

} // namespace crier::messaging::kafka
