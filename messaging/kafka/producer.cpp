#include "messaging/kafka/producer.hpp"

#include "messaging/kafka/handle.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

namespace crier::messaging::kafka {

using crier::kafka::ErrorCode;
using crier::kafka::ProducerRecord;
using crier::kafka::RecordMetadata;

namespace {

constexpr int report_wait_ms = 100;
constexpr Duration room_check = std::chrono::milliseconds(5);

Outcome<RecordMetadata> outcome_of(const rd_kafka_message_t& message) {
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return RecordMetadata{message.partition, message.offset < 0 ? -1 : message.offset};
    }
    // librdkafka never takes "possibly persisted" back when a later try fails for certain.
    const bool never_sent = rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
    return Failure{to_error(message.err), never_sent ? Certainty::failed : Certainty::unknown};
}

/// librdkafka takes a null pointer for "no key" and "no value"; ours are present, if empty.
rd_kafka_vu_t bytes(rd_kafka_vtype_t type, const std::string& text) {
    rd_kafka_vu_t argument{};
    argument.vtype = type;
    argument.u.mem.ptr = const_cast<char*>(text.data()); // NOLINT: copied, never written.
    argument.u.mem.size = text.size();
    return argument;
}

Owned<rd_kafka_headers_t> headers_of(const ProducerRecord& record) {
    Owned<rd_kafka_headers_t> headers(rd_kafka_headers_new(record.headers.size()));
    for (const auto& [name, value] : record.headers) {
        rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()),
                            value.data(), static_cast<ssize_t>(value.size()));
    }
    return headers;
}

/// Hands a copy of `record` to librdkafka, which carries `place` until its report.
rd_kafka_resp_err_t produce(rd_kafka_t* handle, const ProducerRecord& record, void* place) {
    std::vector<rd_kafka_vu_t> arguments(4);
    arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    arguments[0].u.cstr = record.topic.c_str();
    arguments[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    arguments[1].u.i = RD_KAFKA_MSG_F_COPY;
    arguments[2].vtype = RD_KAFKA_VTYPE_OPAQUE;
    arguments[2].u.ptr = place;
    arguments[3] = bytes(RD_KAFKA_VTYPE_VALUE, record.value);
    if (record.is_tombstone) arguments[3].u.mem.ptr = nullptr;
    if (record.key) arguments.push_back(bytes(RD_KAFKA_VTYPE_KEY, *record.key));
    if (record.partition) {
        rd_kafka_vu_t partition{};
        partition.vtype = RD_KAFKA_VTYPE_PARTITION;
        partition.u.i32 = *record.partition;
        arguments.push_back(partition);
    }
    if (record.timestamp) {
        rd_kafka_vu_t timestamp{};
        timestamp.vtype = RD_KAFKA_VTYPE_TIMESTAMP;
        timestamp.u.i64 = std::chrono::floor<std::chrono::milliseconds>(*record.timestamp)
                              .time_since_epoch()
                              .count();
        arguments.push_back(timestamp);
    }
    // As one list, which stays ours when the call fails: librdkafka 2.0 frees single headers twice
    // then.
    Owned<rd_kafka_headers_t> headers = headers_of(record);
    if (!record.headers.empty()) {
        rd_kafka_vu_t list{};
        list.vtype = RD_KAFKA_VTYPE_HEADERS;
        list.u.headers = headers.get();
        arguments.push_back(list);
    }
    const Owned<rd_kafka_error_t> error(
        rd_kafka_produceva(handle, arguments.data(), arguments.size()));
    if (error) return rd_kafka_error_code(error.get());
    if (!record.headers.empty()) static_cast<void>(headers.release());
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

} // namespace

/// The records of one `send` and their outcomes. Touched on the process's executor only.
class RdkafkaProducer::Batch {
public:
    Batch(asio::any_io_executor executor, std::size_t size)
        : outcomes_(size), open_(size), complete_(std::move(executor), 1) {}

    void deliver(std::size_t index, Outcome<RecordMetadata> outcome) {
        outcomes_[index] = std::move(outcome);
        if (--open_ == 0) complete_.try_send(boost::system::error_code());
    }

    asio::awaitable<void> wait() {
        if (open_ > 0) co_await complete_.async_receive(asio::use_awaitable);
    }

    std::vector<Outcome<RecordMetadata>> take() {
        std::vector<Outcome<RecordMetadata>> outcomes;
        outcomes.reserve(outcomes_.size());
        for (auto& outcome : outcomes_)
            outcomes.push_back(std::move(*outcome));
        return outcomes;
    }

private:
    std::vector<std::optional<Outcome<RecordMetadata>>> outcomes_;
    std::size_t open_;
    asio::experimental::channel<void(boost::system::error_code)> complete_;
};

/// What librdkafka carries with a record, so that its report finds the way back.
struct RdkafkaProducer::Place {
    std::shared_ptr<Batch> batch;
    std::size_t index = 0;
};

RdkafkaProducer::RdkafkaProducer(asio::any_io_executor executor, Clock& clock,
                                 const Settings& settings, Duration max_block)
    : executor_(executor), clock_(clock), max_block_(max_block),
      handle_(make_handle(RD_KAFKA_PRODUCER,
                          make_conf(settings, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR))),
      worker_(std::move(executor)), reporter_([this] { report_deliveries(); }) {}

RdkafkaProducer::~RdkafkaProducer() {
    closing_ = true;
    // Purged records are reported like others, so that every place is freed.
    rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    worker_.join();
    reporter_.join();
    rd_kafka_destroy(handle_);
}

asio::awaitable<std::vector<Outcome<RecordMetadata>>>
RdkafkaProducer::send(std::vector<ProducerRecord> records) {
    auto batch = std::make_shared<Batch>(executor_, records.size());
    const Instant give_up = clock_.now() + max_block_;
    for (std::size_t i = 0; i < records.size(); ++i) {
        // Room comes with reports; there is no event for it.
        while (!queue(batch, i, records[i], clock_.now() < give_up)) {
            co_await clock_.sleep(room_check);
        }
    }
    co_await batch->wait();
    co_return batch->take();
}

asio::awaitable<void> RdkafkaProducer::flush() {
    // A record counts until its report was posted, so this comes back behind the last report.
    std::function<bool()> job = [this] {
        while (!closing_ && rd_kafka_outq_len(handle_) > 0)
            rd_kafka_flush(handle_, report_wait_ms);
        return true;
    };
    co_await worker_.run<bool>(std::move(job));
    // And once more behind those whom the last report has woken.
    co_await asio::post(executor_, asio::use_awaitable);
}

bool RdkafkaProducer::queue(const std::shared_ptr<Batch>& batch, std::size_t index,
                            const ProducerRecord& record, bool may_wait) {
    auto place = std::make_unique<Place>();
    place->batch = batch;
    place->index = index;
    const rd_kafka_resp_err_t error = produce(handle_, record, place.get());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        static_cast<void>(place.release()); // Its report frees it.
        return true;
    }
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && may_wait) return false;
    batch->deliver(index, Failure{to_error(error), Certainty::failed});
    return true;
}

void RdkafkaProducer::report_deliveries() {
    const Queue queue(rd_kafka_queue_get_main(handle_));
    while (!closing_ || rd_kafka_outq_len(handle_) > 0) {
        const Event event(rd_kafka_queue_poll(queue.get(), report_wait_ms));
        if (!event || rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
        std::vector<std::pair<std::unique_ptr<Place>, Outcome<RecordMetadata>>> reports;
        while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
            reports.emplace_back(static_cast<Place*>(message->_private), outcome_of(*message));
        }
        asio::post(executor_, [reports = std::move(reports)]() mutable {
            for (auto& [place, outcome] : reports) {
                place->batch->deliver(place->index, std::move(outcome));
            }
        });
    }
}

} // namespace crier::messaging::kafka
