#pragma once

#include "messaging/kafka/settings.hpp"
#include "messaging/ports/result.hpp"

#include <librdkafka/rdkafka.h>
#include <memory>
#include <string>

// librdkafka's objects with owners, and its errors in the words of the port. For the sources of
// this folder only: the one header here that shows librdkafka.

namespace crier::messaging::kafka {

struct Release {
    void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
    void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
    void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
    void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
    void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
    void operator()(rd_kafka_consumer_group_metadata_t* metadata) const {
        rd_kafka_consumer_group_metadata_destroy(metadata);
    }
    void operator()(rd_kafka_topic_partition_list_t* list) const {
        rd_kafka_topic_partition_list_destroy(list);
    }
};

template <class T>
using Owned = std::unique_ptr<T, Release>;
using Conf = Owned<rd_kafka_conf_t>;
using Queue = Owned<rd_kafka_queue_t>;
using Event = Owned<rd_kafka_event_t>;
using PartitionList = Owned<rd_kafka_topic_partition_list_t>;

/// Returns a configuration with `settings`, events instead of callbacks for `events`.
/// **Errors**: a setting that librdkafka refuses throws `ContractViolation`.
[[nodiscard]] Conf make_conf(const Settings& settings, int events);

/// Returns a new client that owns `conf`; throws `ContractViolation` when settings contradict.
[[nodiscard]] rd_kafka_t* make_handle(rd_kafka_type_t type, Conf conf);

/// Returns Kafka's error for librdkafka's: the protocol's codes keep their number, librdkafka's own
/// become the nearest that the Java client would give.
[[nodiscard]] error_code to_error(rd_kafka_resp_err_t error);

/// Returns `duration` in whole milliseconds, rounded up, as librdkafka wants it.
[[nodiscard]] int to_ms(Duration duration);

} // namespace crier::messaging::kafka
