#pragma once

#include "messaging/ports/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a Kafka broker or client can answer instead of success: Kafka's own numbers and names, and
// what a client makes of each.

namespace crier::kafka {

/// Kafka's error codes, by their own numbers and names.
/// **Source**: org.apache.kafka.common.protocol.Errors.
enum class ErrorCode : std::int16_t {
    unknown_server_error = -1,
    none = 0,
    offset_out_of_range = 1,
    corrupt_message = 2,
    unknown_topic_or_partition = 3,
    leader_not_available = 5,
    not_leader_or_follower = 6,
    request_timed_out = 7,
    replica_not_available = 9,
    message_too_large = 10,
    offset_metadata_too_large = 12,
    network_exception = 13,
    coordinator_load_in_progress = 14,
    coordinator_not_available = 15,
    not_coordinator = 16,
    invalid_topic_exception = 17,
    record_list_too_large = 18,
    not_enough_replicas = 19,
    not_enough_replicas_after_append = 20,
    invalid_required_acks = 21,
    illegal_generation = 22,
    inconsistent_group_protocol = 23,
    invalid_group_id = 24,
    unknown_member_id = 25,
    invalid_session_timeout = 26,
    rebalance_in_progress = 27,
    topic_authorization_failed = 29,
    group_authorization_failed = 30,
    cluster_authorization_failed = 31,
    invalid_timestamp = 32,
    unsupported_version = 35,
    topic_already_exists = 36,
    invalid_partitions = 37,
    invalid_replication_factor = 38,
    not_controller = 41,
    invalid_request = 42,
    policy_violation = 44,
    out_of_order_sequence_number = 45,
    duplicate_sequence_number = 46,
    invalid_producer_epoch = 47,
    invalid_txn_state = 48,
    invalid_producer_id_mapping = 49,
    invalid_transaction_timeout = 50,
    concurrent_transactions = 51,
    transaction_coordinator_fenced = 52,
    kafka_storage_error = 56,
    unknown_producer_id = 59,
    non_empty_group = 68,
    group_id_not_found = 69,
    fetch_session_id_not_found = 70,
    invalid_fetch_session_epoch = 71,
    listener_not_found = 72,
    fenced_leader_epoch = 74,
    unknown_leader_epoch = 75,
    offset_not_available = 78,
    member_id_required = 79,
    group_max_size_reached = 81,
    fenced_instance_id = 82,
    eligible_leaders_not_available = 83,
    group_subscribed_to_topic = 86,
    invalid_record = 87,
    unstable_offset_commit = 88,
    throttling_quota_exceeded = 89,
    producer_fenced = 90,
    unknown_topic_id = 100,
    inconsistent_topic_id = 103,
    transactional_id_not_found = 105,
    fenced_member_epoch = 110,
    unreleased_instance_id = 111,
    unsupported_assignor = 112,
    stale_member_epoch = 113,
    transaction_abortable = 120,
    invalid_record_state = 121,
    share_session_not_found = 122,
    invalid_share_session_epoch = 123,
    fenced_state_epoch = 124,
    invalid_regular_expression = 128,
    rebootstrap_required = 129,
    share_session_limit_reached = 133,
};

/// Returns the category of `ErrorCode`; `message()` is Kafka's own name, `NOT_LEADER_OR_FOLLOWER`.
[[nodiscard]] const boost::system::error_category& category() noexcept;

[[nodiscard]] inline error_code make_error_code(ErrorCode code) {
    return {static_cast<int>(code), category()};
}

/// What a client makes of an error. **Source**: the subclasses of RetriableException,
/// TransactionAbortableException and ApplicationRecoverableException (KIP-1050).
enum class ErrorClass {
    none,        ///< No error.
    retriable,   ///< The client tries again by itself.
    abortable,   ///< The transaction must be aborted; the producer lives on.
    recoverable, ///< The application goes on with a new membership or a new producer.
    fatal,       ///< It is over with the request or the client, or the client has a way of its own.
};

/// Returns the class of an error; `fatal` for a number that Kafka does not have.
[[nodiscard]] ErrorClass class_of(ErrorCode code) noexcept;

/// Whether a client tries again by itself.
[[nodiscard]] inline bool is_retriable(ErrorCode code) noexcept {
    return class_of(code) == ErrorClass::retriable;
}

/// Whether a group member that is told so can never again be of use under its settings.
[[nodiscard]] bool is_fatal(const error_code& code) noexcept;

/// Returns the error of that name, `NOT_COORDINATOR`, if there is one.
[[nodiscard]] std::optional<ErrorCode> find_error(std::string_view name) noexcept;

/// Returns every code but `none`, ascending.
[[nodiscard]] std::vector<ErrorCode> error_codes();

} // namespace crier::kafka

template <>
struct boost::system::is_error_code_enum<crier::kafka::ErrorCode> : std::true_type {};
