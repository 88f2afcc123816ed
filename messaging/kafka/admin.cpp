#include "messaging/kafka/admin.hpp"

#include "messaging/kafka/handle.hpp"

#include <utility>

namespace crier::messaging::kafka {

using crier::kafka::ErrorCode;
using crier::kafka::TopicPartitionOffset;
using Offsets = std::vector<TopicPartitionOffset>;

namespace {

struct ReleaseAdmin {
    void operator()(rd_kafka_AdminOptions_t* options) const {
        rd_kafka_AdminOptions_destroy(options);
    }
    void operator()(rd_kafka_DeleteRecords_t* records) const {
        rd_kafka_DeleteRecords_destroy(records);
    }
};

/// librdkafka's own time limits mean that nobody answered.
Failure failure_of(rd_kafka_resp_err_t error) {
    const bool unanswered = error == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                            error == RD_KAFKA_RESP_ERR__TRANSPORT ||
                            error == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
    return {to_error(error), unanswered ? Certainty::unknown : Certainty::failed};
}

} // namespace

/// A client for admin requests alone, used by one thread.
class RdkafkaAdmin::Handle {
public:
    Handle(const Settings& settings, crier::kafka::AdminOptions options)
        : options_(options), handle_(make_handle(RD_KAFKA_PRODUCER, make_conf(settings, 0))),
          answers_(rd_kafka_queue_new(handle_)) {}
    ~Handle() {
        answers_.reset();
        rd_kafka_destroy(handle_);
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    Outcome<Offsets> delete_records(const Offsets& before) {
        const PartitionList list(
            rd_kafka_topic_partition_list_new(static_cast<int>(before.size())));
        for (const auto& [topic, partition, offset, note] : before) {
            rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset =
                offset == -1 ? RD_KAFKA_OFFSET_END : offset;
        }
        std::unique_ptr<rd_kafka_DeleteRecords_t, ReleaseAdmin> records(
            rd_kafka_DeleteRecords_new(list.get()));
        const auto options = limits(RD_KAFKA_ADMIN_OP_DELETERECORDS);
        rd_kafka_DeleteRecords_t* asked = records.get();
        rd_kafka_DeleteRecords(handle_, &asked, 1, options.get(), answers_.get());
        const Event event(rd_kafka_queue_poll(answers_.get(), -1));
        if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return failure_of(rd_kafka_event_error(event.get()));
        }
        const rd_kafka_topic_partition_list_t* const done =
            rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
        Offsets starts;
        for (const auto& [topic, partition, offset, note] : before) {
            for (int at = 0; at < done->cnt; ++at) {
                const rd_kafka_topic_partition_t& one = done->elems[at];
                if (topic != one.topic || partition != one.partition) continue;
                if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) return failure_of(one.err);
                starts.push_back({topic, partition, one.offset});
            }
        }
        return starts;
    }

private:
    std::unique_ptr<rd_kafka_AdminOptions_t, ReleaseAdmin> limits(rd_kafka_admin_op_t operation) {
        std::unique_ptr<rd_kafka_AdminOptions_t, ReleaseAdmin> options(
            rd_kafka_AdminOptions_new(handle_, operation));
        rd_kafka_AdminOptions_set_request_timeout(options.get(),
                                                  to_ms(options_.default_api_timeout), nullptr, 0);
        rd_kafka_AdminOptions_set_operation_timeout(options.get(), to_ms(options_.request_timeout),
                                                    nullptr, 0);
        return options;
    }

    crier::kafka::AdminOptions options_;
    rd_kafka_t* handle_;
    Queue answers_;
};

RdkafkaAdmin::RdkafkaAdmin(asio::any_io_executor executor, const Settings& settings,
                           crier::kafka::AdminOptions options)
    : handle_(std::make_unique<Handle>(settings, options)), worker_(std::move(executor)) {}

RdkafkaAdmin::~RdkafkaAdmin() {
    worker_.join();
}

asio::awaitable<Outcome<Offsets>> RdkafkaAdmin::delete_records(Offsets before) {
    std::function<Outcome<Offsets>()> job = [this, before = std::move(before)] {
        return handle_->delete_records(before);
    };
    Outcome<Offsets> outcome = co_await worker_.run<Outcome<Offsets>>(std::move(job));
    co_return outcome;
}

} // namespace crier::messaging::kafka
