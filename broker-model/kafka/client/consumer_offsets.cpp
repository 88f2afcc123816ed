// What a consumer can be asked about offsets, besides reading on.

#include "broker-model/kafka/client/consumer.hpp"
#include "broker-model/kafka/client/offset_lookup.hpp"

namespace crier::broker::kafka {

using crier::kafka::TopicPartition;
using crier::kafka::TopicPartitionOffset;
using crier::kafka::TopicPartitionTime;

// Source: Kafka ClassicKafkaConsumer.position.
asio::awaitable<Outcome<Offset>> SimConsumer::position(TopicPartition partition) {
    const PartitionId id = find(partition);
    const Instant deadline = context_.now() + options_.default_api_timeout;
    for (;;) {
        const Offset known = fetcher_->position(id);
        if (known >= 0) co_return known;
        offsets_->start_lookup(fetcher_);
        if (fetcher_->lacks_offset()) {
            co_return Failure{make_error_code(ErrorCode::offset_out_of_range), Certainty::failed};
        }
        fetcher_->send();
        if (context_.now() >= deadline) {
            co_return Failure{make_error_code(ErrorCode::request_timed_out), Certainty::failed};
        }
        // Answers wake nobody who waits for a position: it is looked at again now and then.
        const Instant due = std::min(deadline, context_.now() + options_.retry_backoff);
        co_await wake_->point.wait_until(due);
    }
}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
SimConsumer::look_up(std::vector<Lookup> lookups) {
    std::vector<ListOffsetsRequest> requests;
    for (const Lookup& lookup : lookups) {
        const std::optional<PartitionId> id =
            context_.cluster().find_partition(lookup.partition.topic, lookup.partition.partition);
        if (!id) {
            co_return Failure{make_error_code(ErrorCode::unknown_topic_or_partition),
                              Certainty::failed};
        }
        ListOffsetsRequest& request = requests.emplace_back();
        request.partition = *id;
        request.timestamp = lookup.timestamp;
        request.isolation = options_.isolation;
    }
    const Outcome<std::vector<Offset>> found =
        co_await look_up_offsets(context_, fetcher_->metadata(), options_, std::move(requests));
    if (found.has_error()) co_return found.error();
    std::vector<TopicPartitionOffset> offsets;
    for (std::size_t at = 0; at < lookups.size(); ++at) {
        const TopicPartition& partition = lookups[at].partition;
        offsets.push_back({partition.topic, partition.partition, (*found)[at]});
    }
    co_return std::move(offsets);
}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
SimConsumer::beginning_offsets(std::vector<TopicPartition> partitions) {
    std::vector<Lookup> lookups;
    for (TopicPartition& partition : partitions)
        lookups.push_back({std::move(partition), earliest_timestamp});
    return look_up(std::move(lookups));
}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
SimConsumer::end_offsets(std::vector<TopicPartition> partitions) {
    std::vector<Lookup> lookups;
    for (TopicPartition& partition : partitions)
        lookups.push_back({std::move(partition), latest_timestamp});
    return look_up(std::move(lookups));
}

asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
SimConsumer::offsets_for_times(std::vector<TopicPartitionTime> times) {
    std::vector<Lookup> lookups;
    for (TopicPartitionTime& asked : times) {
        lookups.push_back(
            {{std::move(asked.topic), asked.partition}, asked.time.time_since_epoch().count()});
    }
    return look_up(std::move(lookups));
}

} // namespace crier::broker::kafka
