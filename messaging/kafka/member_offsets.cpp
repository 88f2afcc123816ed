// What a member can be asked about offsets, besides reading on.

#include "messaging/kafka/member.hpp"

#include <utility>

namespace crier::messaging::kafka {

using crier::kafka::ErrorCode;
using crier::kafka::Offset;
using crier::kafka::OffsetReset;
using crier::kafka::TopicPartition;
using crier::kafka::TopicPartitionOffset;
using Offsets = std::vector<TopicPartitionOffset>;

namespace {

PartitionList list_of(const TopicPartition& partition) {
    PartitionList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
    return list;
}

Failure failed(rd_kafka_resp_err_t error) {
    return {to_error(error), Certainty::failed};
}

} // namespace

Outcome<Offset> Member::position(const TopicPartition& partition) {
    if (const auto known = consumed_.find(partition); known != consumed_.end()) {
        return known->second;
    }
    const PartitionList list = list_of(partition);
    const rd_kafka_resp_err_t error =
        rd_kafka_committed(handle_, list.get(), to_ms(options_.default_api_timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(error);
    if (list->elems[0].offset >= 0) return list->elems[0].offset;
    if (options_.auto_offset_reset == OffsetReset::none) {
        return Failure{ErrorCode::offset_out_of_range, Certainty::failed};
    }
    const Outcome<Offsets> edge =
        watermarks({partition}, options_.auto_offset_reset == OffsetReset::latest);
    if (edge.has_error()) return edge.error();
    return edge->front().offset;
}

Outcome<Offsets> Member::watermarks(const Partitions& partitions, bool high) {
    Offsets found;
    for (const TopicPartition& partition : partitions) {
        std::int64_t low_offset = 0;
        std::int64_t high_offset = 0;
        const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
            handle_, partition.topic.c_str(), partition.partition, &low_offset, &high_offset,
            to_ms(options_.default_api_timeout));
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(error);
        found.push_back({partition.topic, partition.partition, high ? high_offset : low_offset});
    }
    return found;
}

Outcome<Offsets>
Member::offsets_for_times(const std::vector<crier::kafka::TopicPartitionTime>& times) {
    Offsets found;
    for (const crier::kafka::TopicPartitionTime& asked : times) {
        const PartitionList list = list_of({asked.topic, asked.partition});
        list->elems[0].offset =
            std::chrono::ceil<std::chrono::milliseconds>(asked.time).time_since_epoch().count();
        const rd_kafka_resp_err_t error =
            rd_kafka_offsets_for_times(handle_, list.get(), to_ms(options_.default_api_timeout));
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(error);
        const rd_kafka_topic_partition_t& one = list->elems[0];
        if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(one.err);
        // Behind the last record librdkafka says "the end".
        found.push_back({asked.topic, asked.partition, one.offset < 0 ? -1 : one.offset});
    }
    return found;
}

} // namespace crier::messaging::kafka
