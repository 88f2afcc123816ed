#include "broker-model/kafka/producer.hpp"

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
SimProducer::send(std::vector<ProducerRecord> records) {
    const std::shared_ptr<ProducerSender> sender = sender_;
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
    const std::size_t homeless = sender->append(records, call);
    sender->send_ready();
    if (homeless > 0) co_await context.ports().sleep(blocked_until - context.now());
    if (call->open > 0) co_await call->finished.wait_until(Instant::max());
    co_return std::move(call->outcomes);
}

asio::awaitable<void> SimProducer::flush() {
    const std::shared_ptr<ProducerSender> sender = sender_;
    const auto call = std::make_shared<SendCall>(sender->context().process());
    sender->flush(call);
    if (call->open > 0) co_await call->finished.wait_until(Instant::max());
}

} // namespace crier::broker::kafka
