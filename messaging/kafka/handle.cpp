#include "messaging/kafka/handle.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace crier::messaging::kafka {

namespace {

using crier::kafka::ErrorCode;
using Text = std::array<char, 512>;

/// Set by us from an option that older libraries do not have; without it they have a fixed value.
constexpr std::string_view optional_setting = "retry.backoff.max.ms";

ErrorCode local_error(rd_kafka_resp_err_t error) {
    switch (error) {
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__QUEUE_FULL: return ErrorCode::request_timed_out;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY: return ErrorCode::network_exception;
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC: return ErrorCode::unknown_topic_or_partition;
    case RD_KAFKA_RESP_ERR__WAIT_COORD: return ErrorCode::coordinator_not_available;
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST: return ErrorCode::illegal_generation;
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED: return ErrorCode::unknown_member_id;
    case RD_KAFKA_RESP_ERR__FENCED: return ErrorCode::fenced_instance_id;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return ErrorCode::offset_out_of_range;
    case RD_KAFKA_RESP_ERR__BAD_MSG: return ErrorCode::corrupt_message;
    default: return ErrorCode::unknown_server_error;
    }
}

} // namespace

Conf make_conf(const Settings& settings, int events) {
    Conf conf(rd_kafka_conf_new());
    Text problem{};
    for (const auto& [name, value] : settings) {
        const rd_kafka_conf_res_t result = rd_kafka_conf_set(
            conf.get(), name.c_str(), value.c_str(), problem.data(), problem.size());
        if (result == RD_KAFKA_CONF_UNKNOWN && name == optional_setting) continue;
        ensure(result == RD_KAFKA_CONF_OK, problem.data());
    }
    rd_kafka_conf_set_events(conf.get(), events);
    return conf;
}

rd_kafka_t* make_handle(rd_kafka_type_t type, Conf conf) {
    Text problem{};
    rd_kafka_t* handle = rd_kafka_new(type, conf.get(), problem.data(), problem.size());
    ensure(handle != nullptr, problem.data());
    // librdkafka owns the configuration from here on; a refused one stays ours.
    static_cast<void>(conf.release());
    return handle;
}

error_code to_error(rd_kafka_resp_err_t error) {
    const bool from_broker = error >= RD_KAFKA_RESP_ERR_UNKNOWN;
    if (from_broker) return {static_cast<int>(error), crier::kafka::category()};
    return local_error(error);
}

int to_ms(Duration duration) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
    return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 2'000'000'000));
}

} // namespace crier::messaging::kafka
