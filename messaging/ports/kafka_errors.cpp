#include "messaging/ports/kafka.hpp"

// Kafka's names for its error codes, and which of them a client tries again by itself.
// Source: org.apache.kafka.common.protocol.Errors and the subclasses of RetriableException.

namespace crier::kafka {

namespace {

const char* name_of(int code) {
    switch (static_cast<ErrorCode>(code)) {
    case ErrorCode::unknown_server_error: return "UNKNOWN_SERVER_ERROR";
    case ErrorCode::none: return "NONE";
    case ErrorCode::offset_out_of_range: return "OFFSET_OUT_OF_RANGE";
    case ErrorCode::corrupt_message: return "CORRUPT_MESSAGE";
    case ErrorCode::unknown_topic_or_partition: return "UNKNOWN_TOPIC_OR_PARTITION";
    case ErrorCode::leader_not_available: return "LEADER_NOT_AVAILABLE";
    case ErrorCode::not_leader_or_follower: return "NOT_LEADER_OR_FOLLOWER";
    case ErrorCode::request_timed_out: return "REQUEST_TIMED_OUT";
    case ErrorCode::message_too_large: return "MESSAGE_TOO_LARGE";
    case ErrorCode::offset_metadata_too_large: return "OFFSET_METADATA_TOO_LARGE";
    case ErrorCode::network_exception: return "NETWORK_EXCEPTION";
    case ErrorCode::coordinator_load_in_progress: return "COORDINATOR_LOAD_IN_PROGRESS";
    case ErrorCode::coordinator_not_available: return "COORDINATOR_NOT_AVAILABLE";
    case ErrorCode::not_coordinator: return "NOT_COORDINATOR";
    case ErrorCode::not_enough_replicas: return "NOT_ENOUGH_REPLICAS";
    case ErrorCode::not_enough_replicas_after_append: return "NOT_ENOUGH_REPLICAS_AFTER_APPEND";
    case ErrorCode::invalid_required_acks: return "INVALID_REQUIRED_ACKS";
    case ErrorCode::illegal_generation: return "ILLEGAL_GENERATION";
    case ErrorCode::inconsistent_group_protocol: return "INCONSISTENT_GROUP_PROTOCOL";
    case ErrorCode::unknown_member_id: return "UNKNOWN_MEMBER_ID";
    case ErrorCode::invalid_session_timeout: return "INVALID_SESSION_TIMEOUT";
    case ErrorCode::rebalance_in_progress: return "REBALANCE_IN_PROGRESS";
    case ErrorCode::invalid_timestamp: return "INVALID_TIMESTAMP";
    case ErrorCode::policy_violation: return "POLICY_VIOLATION";
    case ErrorCode::out_of_order_sequence_number: return "OUT_OF_ORDER_SEQUENCE_NUMBER";
    case ErrorCode::duplicate_sequence_number: return "DUPLICATE_SEQUENCE_NUMBER";
    case ErrorCode::invalid_producer_epoch: return "INVALID_PRODUCER_EPOCH";
    case ErrorCode::kafka_storage_error: return "KAFKA_STORAGE_ERROR";
    case ErrorCode::fenced_leader_epoch: return "FENCED_LEADER_EPOCH";
    case ErrorCode::unknown_leader_epoch: return "UNKNOWN_LEADER_EPOCH";
    case ErrorCode::offset_not_available: return "OFFSET_NOT_AVAILABLE";
    case ErrorCode::member_id_required: return "MEMBER_ID_REQUIRED";
    case ErrorCode::group_max_size_reached: return "GROUP_MAX_SIZE_REACHED";
    case ErrorCode::fenced_instance_id: return "FENCED_INSTANCE_ID";
    case ErrorCode::invalid_record: return "INVALID_RECORD";
    case ErrorCode::invalid_txn_state: return "INVALID_TXN_STATE";
    case ErrorCode::invalid_producer_id_mapping: return "INVALID_PRODUCER_ID_MAPPING";
    case ErrorCode::invalid_transaction_timeout: return "INVALID_TRANSACTION_TIMEOUT";
    case ErrorCode::concurrent_transactions: return "CONCURRENT_TRANSACTIONS";
    case ErrorCode::transaction_coordinator_fenced: return "TRANSACTION_COORDINATOR_FENCED";
    case ErrorCode::unstable_offset_commit: return "UNSTABLE_OFFSET_COMMIT";
    case ErrorCode::producer_fenced: return "PRODUCER_FENCED";
    case ErrorCode::transaction_abortable: return "TRANSACTION_ABORTABLE";
    }
    return nullptr;
}

// Boost's base class has no virtual destructor; categories are never deleted through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "kafka"; }

    [[nodiscard]] std::string message(int code) const override {
        const char* known = name_of(code);
        return known != nullptr ? known : "ERROR_" + std::to_string(code);
    }
};
#pragma GCC diagnostic pop

} // namespace

const boost::system::error_category& category() noexcept {
    static const Category instance;
    return instance;
}

bool is_retriable(ErrorCode code) noexcept {
    switch (code) {
    case ErrorCode::corrupt_message:
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::leader_not_available:
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::request_timed_out:
    case ErrorCode::network_exception:
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::kafka_storage_error:
    case ErrorCode::fenced_leader_epoch:
    case ErrorCode::unknown_leader_epoch:
    case ErrorCode::offset_not_available:
    case ErrorCode::concurrent_transactions:
    case ErrorCode::unstable_offset_commit: return true;
    case ErrorCode::unknown_server_error:
    case ErrorCode::none:
    case ErrorCode::offset_out_of_range:
    case ErrorCode::message_too_large:
    case ErrorCode::offset_metadata_too_large:
    case ErrorCode::invalid_required_acks:
    case ErrorCode::illegal_generation:
    case ErrorCode::inconsistent_group_protocol:
    case ErrorCode::unknown_member_id:
    case ErrorCode::invalid_session_timeout:
    case ErrorCode::rebalance_in_progress:
    case ErrorCode::invalid_timestamp:
    case ErrorCode::policy_violation:
    case ErrorCode::out_of_order_sequence_number:
    case ErrorCode::duplicate_sequence_number:
    case ErrorCode::invalid_producer_epoch:
    case ErrorCode::member_id_required:
    case ErrorCode::group_max_size_reached:
    case ErrorCode::fenced_instance_id:
    case ErrorCode::invalid_txn_state:
    case ErrorCode::invalid_producer_id_mapping:
    case ErrorCode::invalid_transaction_timeout:
    case ErrorCode::transaction_coordinator_fenced:
    case ErrorCode::producer_fenced:
    case ErrorCode::transaction_abortable:
    case ErrorCode::invalid_record: return false;
    }
    return false;
}

// Source: Kafka AbstractCoordinator, the errors that its handlers hand to the application.
bool is_fatal(const error_code& code) noexcept {
    if (code.category() != category()) return false;
    switch (static_cast<ErrorCode>(code.value())) {
    case ErrorCode::inconsistent_group_protocol:
    case ErrorCode::invalid_session_timeout:
    case ErrorCode::group_max_size_reached:
    case ErrorCode::fenced_instance_id: return true;
    default: return false;
    }
}

} // namespace crier::kafka
