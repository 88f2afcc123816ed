#include "broker-model/kafka/client/admin.hpp"

#include <algorithm>

namespace crier::broker::kafka {

using crier::kafka::TopicPartitionOffset;

SimAdmin::SimAdmin(const ClientContext& context, crier::kafka::AdminOptions options)
    : context_(context), options_(options),
      metadata_(std::make_shared<MetadataCache>(context, options_.request_timeout,
                                                options_.retry_backoff, [] {})) {}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
SimAdmin::delete_records(std::vector<TopicPartitionOffset> before) {
    std::vector<TopicPartitionOffset> starts;
    for (const TopicPartitionOffset& asked : before) {
        const std::optional<PartitionId> id =
            context_.cluster().find_partition(asked.topic, asked.partition);
        if (!id) {
            co_return Failure{make_error_code(ErrorCode::unknown_topic_or_partition),
                              Certainty::failed};
        }
        const Outcome<Offset> start = co_await delete_records(*id, asked.offset);
        if (start.has_error()) co_return start.error();
        starts.push_back({asked.topic, asked.partition, *start});
    }
    co_return std::move(starts);
}

template <class Request>
asio::awaitable<Outcome<void>> SimAdmin::ask_controller(Request request) {
    const Instant deadline = context_.now() + options_.default_api_timeout;
    Failure failure{make_error_code(ErrorCode::request_timed_out), Certainty::failed};
    for (;;) {
        sim::Node& controller = context_.cluster().controller();
        sim::CallOptions call;
        call.timeout = std::min(options_.request_timeout, deadline - context_.now());
        BrokerRequest<Request, ErrorAnswer> serve(context_.cluster(), controller, request);
        const Outcome<ErrorAnswer> answer =
            co_await context_.world().network().template async_call<ErrorAnswer>(
                context_.process(), controller, CallOf<Request>::kind, call, std::move(serve),
                asio::use_awaitable);
        if (answer.has_value() && answer->error == ErrorCode::none) {
            co_return boost::system::in_place_value;
        }
        if (answer.has_value() && !crier::kafka::is_retriable(answer->error)) {
            failure.code = make_error_code(answer->error);
            co_return failure;
        }
        if (answer.has_value() && answer->error == ErrorCode::unknown_topic_or_partition) {
            failure.code = make_error_code(answer->error); // the controller knows best
            co_return failure;
        }
        if (answer.has_error() && answer.error().certainty == Certainty::unknown) {
            failure.certainty = Certainty::unknown;
        }
        if (context_.now() + options_.retry_backoff >= deadline) co_return failure;
        co_await context_.ports().sleep(options_.retry_backoff);
    }
}

asio::awaitable<Outcome<void>> SimAdmin::create_topic(crier::kafka::NewTopic topic) {
    CreateTopicsRequest request;
    request.topic = std::move(topic.name);
    request.count = topic.partitions;
    request.replication = topic.replication;
    request.min_insync = topic.min_insync;
    const Outcome<void> outcome = co_await ask_controller(std::move(request));
    co_return outcome;
}

asio::awaitable<Outcome<void>> SimAdmin::create_partitions(std::string topic, std::int32_t count) {
    CreatePartitionsRequest request;
    request.topic = std::move(topic);
    request.count = count;
    const Outcome<void> outcome = co_await ask_controller(std::move(request));
    co_return outcome;
}

asio::awaitable<Outcome<void>> SimAdmin::delete_topic(std::string topic) {
    DeleteTopicsRequest request;
    request.topic = std::move(topic);
    const Outcome<void> outcome = co_await ask_controller(std::move(request));
    co_return outcome;
}

asio::awaitable<Outcome<Offset>> SimAdmin::delete_records(PartitionId partition, Offset before) {
    const Instant deadline = context_.now() + options_.default_api_timeout;
    Failure failure{make_error_code(ErrorCode::request_timed_out), Certainty::failed};
    for (;;) {
        if (const BrokerId leader = metadata_->leader(partition); leader != 0) {
            DeleteRecordsRequest request;
            request.partition = partition;
            request.offset = before;
            request.timeout = options_.request_timeout;
            const Duration limit = std::min(options_.request_timeout, deadline - context_.now());
            const Outcome<DeleteRecordsAnswer> answer =
                co_await context_.ask(leader, limit, 64, request);
            if (answer.has_value() && answer->error == ErrorCode::none) {
                co_return answer->low_watermark;
            }
            if (answer.has_value() && !crier::kafka::is_retriable(answer->error)) {
                failure.code = make_error_code(answer->error);
                co_return failure;
            }
            // Deleted at the leader, if perhaps not everywhere.
            const bool maybe_done = answer.has_value()
                                        ? answer->error == ErrorCode::request_timed_out
                                        : answer.error().certainty == Certainty::unknown;
            if (maybe_done) failure.certainty = Certainty::unknown;
        }
        metadata_->refresh();
        if (context_.now() + options_.retry_backoff >= deadline) co_return failure;
        co_await context_.ports().sleep(options_.retry_backoff);
    }
}

} // namespace crier::broker::kafka
