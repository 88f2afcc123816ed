#include "messaging/ports/kafka_errors.hpp"

#include "messaging/ports/publish_errors.hpp"

// The one table of Kafka's errors. Source: org.apache.kafka.common.protocol.Errors and the classes
// of its exceptions.

namespace crier::kafka {

namespace {

constexpr int code_min = static_cast<int>(ErrorCode::unknown_server_error);
constexpr int code_max = static_cast<int>(ErrorCode::share_session_limit_reached);

struct ErrorInfo {
    const char* name = nullptr; // null: Kafka has no such error, or none that is met here
    ErrorClass kind = ErrorClass::fatal;
};

// A switch, for the compiler knows whether it is complete.
constexpr ErrorInfo info_of(ErrorCode code) noexcept {
    switch (code) {
    case ErrorCode::unknown_server_error: return {"UNKNOWN_SERVER_ERROR", ErrorClass::fatal};
    case ErrorCode::none: return {"NONE", ErrorClass::none};
    case ErrorCode::offset_out_of_range: return {"OFFSET_OUT_OF_RANGE", ErrorClass::fatal};
    case ErrorCode::corrupt_message: return {"CORRUPT_MESSAGE", ErrorClass::retriable};
    case ErrorCode::unknown_topic_or_partition:
        return {"UNKNOWN_TOPIC_OR_PARTITION", ErrorClass::retriable};
    case ErrorCode::leader_not_available: return {"LEADER_NOT_AVAILABLE", ErrorClass::retriable};
    case ErrorCode::not_leader_or_follower:
        return {"NOT_LEADER_OR_FOLLOWER", ErrorClass::retriable};
    case ErrorCode::request_timed_out: return {"REQUEST_TIMED_OUT", ErrorClass::retriable};
    case ErrorCode::replica_not_available: return {"REPLICA_NOT_AVAILABLE", ErrorClass::retriable};
    case ErrorCode::message_too_large: return {"MESSAGE_TOO_LARGE", ErrorClass::fatal};
    case ErrorCode::offset_metadata_too_large:
        return {"OFFSET_METADATA_TOO_LARGE", ErrorClass::fatal};
    case ErrorCode::network_exception: return {"NETWORK_EXCEPTION", ErrorClass::retriable};
    case ErrorCode::coordinator_load_in_progress:
        return {"COORDINATOR_LOAD_IN_PROGRESS", ErrorClass::retriable};
    case ErrorCode::coordinator_not_available:
        return {"COORDINATOR_NOT_AVAILABLE", ErrorClass::retriable};
    case ErrorCode::not_coordinator: return {"NOT_COORDINATOR", ErrorClass::retriable};
    case ErrorCode::invalid_topic_exception: return {"INVALID_TOPIC_EXCEPTION", ErrorClass::fatal};
    case ErrorCode::record_list_too_large: return {"RECORD_LIST_TOO_LARGE", ErrorClass::fatal};
    case ErrorCode::not_enough_replicas: return {"NOT_ENOUGH_REPLICAS", ErrorClass::retriable};
    case ErrorCode::not_enough_replicas_after_append:
        return {"NOT_ENOUGH_REPLICAS_AFTER_APPEND", ErrorClass::retriable};
    case ErrorCode::invalid_required_acks: return {"INVALID_REQUIRED_ACKS", ErrorClass::fatal};
    case ErrorCode::illegal_generation: return {"ILLEGAL_GENERATION", ErrorClass::recoverable};
    case ErrorCode::inconsistent_group_protocol:
        return {"INCONSISTENT_GROUP_PROTOCOL", ErrorClass::fatal};
    case ErrorCode::invalid_group_id: return {"INVALID_GROUP_ID", ErrorClass::fatal};
    case ErrorCode::unknown_member_id: return {"UNKNOWN_MEMBER_ID", ErrorClass::recoverable};
    case ErrorCode::invalid_session_timeout: return {"INVALID_SESSION_TIMEOUT", ErrorClass::fatal};
    case ErrorCode::rebalance_in_progress: return {"REBALANCE_IN_PROGRESS", ErrorClass::fatal};
    case ErrorCode::topic_authorization_failed:
        return {"TOPIC_AUTHORIZATION_FAILED", ErrorClass::fatal};
    case ErrorCode::group_authorization_failed:
        return {"GROUP_AUTHORIZATION_FAILED", ErrorClass::fatal};
    case ErrorCode::cluster_authorization_failed:
        return {"CLUSTER_AUTHORIZATION_FAILED", ErrorClass::fatal};
    case ErrorCode::invalid_timestamp: return {"INVALID_TIMESTAMP", ErrorClass::fatal};
    case ErrorCode::unsupported_version: return {"UNSUPPORTED_VERSION", ErrorClass::fatal};
    case ErrorCode::topic_already_exists: return {"TOPIC_ALREADY_EXISTS", ErrorClass::fatal};
    case ErrorCode::invalid_partitions: return {"INVALID_PARTITIONS", ErrorClass::fatal};
    case ErrorCode::invalid_replication_factor:
        return {"INVALID_REPLICATION_FACTOR", ErrorClass::fatal};
    case ErrorCode::not_controller: return {"NOT_CONTROLLER", ErrorClass::retriable};
    case ErrorCode::invalid_request: return {"INVALID_REQUEST", ErrorClass::fatal};
    case ErrorCode::policy_violation: return {"POLICY_VIOLATION", ErrorClass::fatal};
    case ErrorCode::out_of_order_sequence_number:
        return {"OUT_OF_ORDER_SEQUENCE_NUMBER", ErrorClass::fatal};
    case ErrorCode::duplicate_sequence_number:
        return {"DUPLICATE_SEQUENCE_NUMBER", ErrorClass::fatal};
    case ErrorCode::invalid_producer_epoch:
        return {"INVALID_PRODUCER_EPOCH", ErrorClass::recoverable};
    case ErrorCode::invalid_txn_state: return {"INVALID_TXN_STATE", ErrorClass::fatal};
    case ErrorCode::invalid_producer_id_mapping:
        return {"INVALID_PRODUCER_ID_MAPPING", ErrorClass::recoverable};
    case ErrorCode::invalid_transaction_timeout:
        return {"INVALID_TRANSACTION_TIMEOUT", ErrorClass::fatal};
    case ErrorCode::concurrent_transactions:
        return {"CONCURRENT_TRANSACTIONS", ErrorClass::retriable};
    case ErrorCode::transaction_coordinator_fenced:
        return {"TRANSACTION_COORDINATOR_FENCED", ErrorClass::fatal};
    case ErrorCode::kafka_storage_error: return {"KAFKA_STORAGE_ERROR", ErrorClass::retriable};
    case ErrorCode::unknown_producer_id: return {"UNKNOWN_PRODUCER_ID", ErrorClass::fatal};
    case ErrorCode::non_empty_group: return {"NON_EMPTY_GROUP", ErrorClass::fatal};
    case ErrorCode::group_id_not_found: return {"GROUP_ID_NOT_FOUND", ErrorClass::fatal};
    case ErrorCode::fetch_session_id_not_found:
        return {"FETCH_SESSION_ID_NOT_FOUND", ErrorClass::retriable};
    case ErrorCode::invalid_fetch_session_epoch:
        return {"INVALID_FETCH_SESSION_EPOCH", ErrorClass::retriable};
    case ErrorCode::listener_not_found: return {"LISTENER_NOT_FOUND", ErrorClass::retriable};
    case ErrorCode::fenced_leader_epoch: return {"FENCED_LEADER_EPOCH", ErrorClass::retriable};
    case ErrorCode::unknown_leader_epoch: return {"UNKNOWN_LEADER_EPOCH", ErrorClass::retriable};
    case ErrorCode::offset_not_available: return {"OFFSET_NOT_AVAILABLE", ErrorClass::retriable};
    case ErrorCode::member_id_required: return {"MEMBER_ID_REQUIRED", ErrorClass::fatal};
    case ErrorCode::group_max_size_reached: return {"GROUP_MAX_SIZE_REACHED", ErrorClass::fatal};
    case ErrorCode::fenced_instance_id: return {"FENCED_INSTANCE_ID", ErrorClass::recoverable};
    case ErrorCode::eligible_leaders_not_available:
        return {"ELIGIBLE_LEADERS_NOT_AVAILABLE", ErrorClass::retriable};
    case ErrorCode::group_subscribed_to_topic:
        return {"GROUP_SUBSCRIBED_TO_TOPIC", ErrorClass::fatal};
    case ErrorCode::invalid_record: return {"INVALID_RECORD", ErrorClass::fatal};
    case ErrorCode::unstable_offset_commit:
        return {"UNSTABLE_OFFSET_COMMIT", ErrorClass::retriable};
    case ErrorCode::throttling_quota_exceeded:
        return {"THROTTLING_QUOTA_EXCEEDED", ErrorClass::retriable};
    case ErrorCode::producer_fenced: return {"PRODUCER_FENCED", ErrorClass::recoverable};
    case ErrorCode::unknown_topic_id: return {"UNKNOWN_TOPIC_ID", ErrorClass::retriable};
    case ErrorCode::inconsistent_topic_id: return {"INCONSISTENT_TOPIC_ID", ErrorClass::retriable};
    case ErrorCode::transactional_id_not_found:
        return {"TRANSACTIONAL_ID_NOT_FOUND", ErrorClass::fatal};
    case ErrorCode::fenced_member_epoch: return {"FENCED_MEMBER_EPOCH", ErrorClass::fatal};
    case ErrorCode::unreleased_instance_id: return {"UNRELEASED_INSTANCE_ID", ErrorClass::fatal};
    case ErrorCode::unsupported_assignor: return {"UNSUPPORTED_ASSIGNOR", ErrorClass::fatal};
    case ErrorCode::stale_member_epoch: return {"STALE_MEMBER_EPOCH", ErrorClass::fatal};
    case ErrorCode::transaction_abortable: return {"TRANSACTION_ABORTABLE", ErrorClass::abortable};
    case ErrorCode::invalid_record_state: return {"INVALID_RECORD_STATE", ErrorClass::fatal};
    case ErrorCode::share_session_not_found:
        return {"SHARE_SESSION_NOT_FOUND", ErrorClass::retriable};
    case ErrorCode::invalid_share_session_epoch:
        return {"INVALID_SHARE_SESSION_EPOCH", ErrorClass::retriable};
    case ErrorCode::fenced_state_epoch: return {"FENCED_STATE_EPOCH", ErrorClass::fatal};
    case ErrorCode::invalid_regular_expression:
        return {"INVALID_REGULAR_EXPRESSION", ErrorClass::fatal};
    case ErrorCode::rebootstrap_required: return {"REBOOTSTRAP_REQUIRED", ErrorClass::fatal};
    case ErrorCode::share_session_limit_reached:
        return {"SHARE_SESSION_LIMIT_REACHED", ErrorClass::retriable};
    }
    return {};
}

/// Whether the answer would be the same whenever and wherever this record is sent.
/// **Source**: the exceptions of these codes are no RetriableException, and what they complain of
/// is the record itself, not the client's rights or the topic.
constexpr bool blames_the_record(ErrorCode code) noexcept {
    return code == ErrorCode::message_too_large || code == ErrorCode::record_list_too_large ||
           code == ErrorCode::invalid_record || code == ErrorCode::invalid_timestamp ||
           code == ErrorCode::policy_violation;
}

// Boost's base class has no virtual destructor; categories are never deleted through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "kafka"; }

    [[nodiscard]] std::string message(int code) const override {
        const bool in_range = code >= code_min && code <= code_max;
        const char* const known = in_range ? info_of(static_cast<ErrorCode>(code)).name : nullptr;
        return known != nullptr ? known : "ERROR_" + std::to_string(code);
    }

    [[nodiscard]] boost::system::error_condition
    default_error_condition(int code) const noexcept override {
        if (blames_the_record(static_cast<ErrorCode>(code))) return PublishError::refused;
        return {code, *this};
    }
};
#pragma GCC diagnostic pop

} // namespace

const boost::system::error_category& category() noexcept {
    static const Category instance;
    return instance;
}

ErrorClass class_of(ErrorCode code) noexcept {
    return info_of(code).kind;
}

// Source: Kafka AbstractCoordinator, the errors that its handlers hand to the application.
bool is_fatal(const error_code& code) noexcept {
    if (code.category() != category()) return false;
    switch (static_cast<ErrorCode>(code.value())) {
    case ErrorCode::inconsistent_group_protocol:
    case ErrorCode::invalid_session_timeout:
    case ErrorCode::group_max_size_reached:
    case ErrorCode::group_id_not_found:
    case ErrorCode::unreleased_instance_id:
    case ErrorCode::unsupported_assignor:
    case ErrorCode::invalid_request:
    case ErrorCode::fenced_instance_id: return true;
    default: return false;
    }
}

std::optional<ErrorCode> find_error(std::string_view name) noexcept {
    for (int number = code_min; number <= code_max; ++number) {
        const auto code = static_cast<ErrorCode>(number);
        const char* const known = info_of(code).name;
        if (known != nullptr && name == known) return code;
    }
    return std::nullopt;
}

std::vector<ErrorCode> error_codes() {
    std::vector<ErrorCode> codes;
    for (int number = code_min; number <= code_max; ++number) {
        const auto code = static_cast<ErrorCode>(number);
        if (code != ErrorCode::none && info_of(code).name != nullptr) codes.push_back(code);
    }
    return codes;
}

} // namespace crier::kafka
