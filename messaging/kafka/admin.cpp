#include "messaging/kafka/admin.hpp"

#include "messaging/kafka/handle.hpp"

#include <array>
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
    void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
    void operator()(rd_kafka_NewPartitions_t* more) const { rd_kafka_NewPartitions_destroy(more); }
    void operator()(rd_kafka_DeleteTopic_t* topic) const { rd_kafka_DeleteTopic_destroy(topic); }
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

    Outcome<void> create_topic(const crier::kafka::NewTopic& topic) {
        std::array<char, 256> why{};
        std::unique_ptr<rd_kafka_NewTopic_t, ReleaseAdmin> made(rd_kafka_NewTopic_new(
            topic.name.c_str(), topic.partitions, topic.replication, why.data(), why.size()));
        if (!made) return failure_of(RD_KAFKA_RESP_ERR_INVALID_PARTITIONS);
        rd_kafka_NewTopic_set_config(made.get(), "min.insync.replicas",
                                     std::to_string(topic.min_insync).c_str());
        rd_kafka_NewTopic_t* asked = made.get();
        const auto options = limits(RD_KAFKA_ADMIN_OP_CREATETOPICS);
        rd_kafka_CreateTopics(handle_, &asked, 1, options.get(), answers_.get());
        return topic_outcome([](const rd_kafka_event_t* event, std::size_t* count) {
            return rd_kafka_CreateTopics_result_topics(
                rd_kafka_event_CreateTopics_result(const_cast<rd_kafka_event_t*>(event)), count);
        });
    }

    Outcome<void> create_partitions(const std::string& topic, std::int32_t count) {
        std::array<char, 256> why{};
        std::unique_ptr<rd_kafka_NewPartitions_t, ReleaseAdmin> more(rd_kafka_NewPartitions_new(
            topic.c_str(), static_cast<std::size_t>(count), why.data(), why.size()));
        if (!more) return failure_of(RD_KAFKA_RESP_ERR_INVALID_PARTITIONS);
        rd_kafka_NewPartitions_t* asked = more.get();
        const auto options = limits(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
        rd_kafka_CreatePartitions(handle_, &asked, 1, options.get(), answers_.get());
        return topic_outcome([](const rd_kafka_event_t* event, std::size_t* count_of) {
            return rd_kafka_CreatePartitions_result_topics(
                rd_kafka_event_CreatePartitions_result(const_cast<rd_kafka_event_t*>(event)),
                count_of);
        });
    }

    Outcome<void> delete_topic(const std::string& topic) {
        std::unique_ptr<rd_kafka_DeleteTopic_t, ReleaseAdmin> gone(
            rd_kafka_DeleteTopic_new(topic.c_str()));
        rd_kafka_DeleteTopic_t* asked = gone.get();
        const auto options = limits(RD_KAFKA_ADMIN_OP_DELETETOPICS);
        rd_kafka_DeleteTopics(handle_, &asked, 1, options.get(), answers_.get());
        return topic_outcome([](const rd_kafka_event_t* event, std::size_t* count) {
            return rd_kafka_DeleteTopics_result_topics(
                rd_kafka_event_DeleteTopics_result(const_cast<rd_kafka_event_t*>(event)), count);
        });
    }

private:
    /// Awaits what became of the one topic asked about.
    template <class TopicsOf>
    Outcome<void> topic_outcome(TopicsOf topics_of) {
        const Event event(rd_kafka_queue_poll(answers_.get(), -1));
        if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return failure_of(rd_kafka_event_error(event.get()));
        }
        std::size_t count = 0;
        const rd_kafka_topic_result_t** const topics = topics_of(event.get(), &count);
        const rd_kafka_resp_err_t error =
            count == 0 ? RD_KAFKA_RESP_ERR__FAIL : rd_kafka_topic_result_error(topics[0]);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failure_of(error);
        return boost::system::in_place_value;
    }

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

asio::awaitable<Outcome<void>> RdkafkaAdmin::create_topic(crier::kafka::NewTopic topic) {
    std::function<Outcome<void>()> job = [this, topic = std::move(topic)] {
        return handle_->create_topic(topic);
    };
    Outcome<void> outcome = co_await worker_.run<Outcome<void>>(std::move(job));
    co_return outcome;
}

asio::awaitable<Outcome<void>> RdkafkaAdmin::create_partitions(std::string topic,
                                                               std::int32_t count) {
    std::function<Outcome<void>()> job = [this, topic = std::move(topic), count] {
        return handle_->create_partitions(topic, count);
    };
    Outcome<void> outcome = co_await worker_.run<Outcome<void>>(std::move(job));
    co_return outcome;
}

asio::awaitable<Outcome<void>> RdkafkaAdmin::delete_topic(std::string topic) {
    std::function<Outcome<void>()> job = [this, topic = std::move(topic)] {
        return handle_->delete_topic(topic);
    };
    Outcome<void> outcome = co_await worker_.run<Outcome<void>>(std::move(job));
    co_return outcome;
}

} // namespace crier::messaging::kafka
