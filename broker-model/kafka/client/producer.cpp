#include "broker-model/kafka/client/producer.hpp"

namespace crier::broker::kafka {

using crier::kafka::ProducerRecord;
using crier::kafka::RecordMetadata;

SimProducer::SimProducer(const ClientContext& context, crier::kafka::ProducerOptions options)
    : sender_(std::make_shared<ProducerSender>(context, std::move(options))) {}

SimProducer::~SimProducer() {
    sender_->close();
}

// Records that have no place, for want of metadata or of their topic, fail when `max_block` is
// over; nothing of them was sent. Source: Kafka KafkaProducer.waitOnMetadata.
asio::awaitable<std::vector<Outcome<RecordMetadata>>>
send_records(std::shared_ptr<ProducerSender> sender, std::vector<ProducerRecord> records) {
    const ClientContext& context = sender->context();
    const Instant blocked_until = context.now() + sender->options().max_block;
    const auto call = std::make_shared<SendCall>(context.process());
    const Failure no_place{make_error_code(ErrorCode::request_timed_out), Certainty::failed};
    call->outcomes.assign(records.size(), no_place);
    while (!records.empty() && !sender->metadata().is_known() && context.now() < blocked_until) {
        sender->metadata().refresh_if_old();
        sender->await_metadata(call);
        co_await call->finished.wait_until(blocked_until);
    }
    if (!sender->metadata().is_known()) co_return std::move(call->outcomes);
    std::size_t next = sender->append(records, 0, call);
    sender->send_ready();
    // Source: Kafka BufferPool.allocate: each record that waits for memory has max.block.ms.
    Instant memory_by = context.now() + sender->options().max_block;
    while (next < records.size()) {
        sender->await_memory(call);
        co_await call->finished.wait_until(memory_by);
        const std::size_t before = next;
        next = sender->append(records, next, call);
        if (next == before && context.now() >= memory_by) ++next; // its outcome stays as it is
        if (next != before) memory_by = context.now() + sender->options().max_block;
        sender->send_ready();
    }
    sender->leave_memory_queue(call);
    sender->send_ready();
    while (!call->homeless.empty() && context.now() < blocked_until) {
        sender->metadata().refresh();
        sender->await_metadata(call);
        co_await call->finished.wait_until(blocked_until);
        sender->append_homeless(records, call);
        sender->send_ready();
    }
    while (call->open > 0)
        co_await call->finished.wait_until(Instant::max());
    co_return std::move(call->outcomes);
}

asio::awaitable<void> flush_records(std::shared_ptr<ProducerSender> sender) {
    const auto call = std::make_shared<SendCall>(sender->context().process());
    sender->flush(call);
    if (call->open > 0) co_await call->finished.wait_until(Instant::max());
}

asio::awaitable<std::vector<Outcome<RecordMetadata>>>
SimProducer::send(std::vector<ProducerRecord> records) {
    return send_records(sender_, std::move(records));
}

asio::awaitable<void> SimProducer::flush() {
    return flush_records(sender_);
}

} // namespace crier::broker::kafka
