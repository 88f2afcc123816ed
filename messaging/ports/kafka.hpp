#pragma once

#include "messaging/ports/clock.hpp"
#include "messaging/ports/kafka_errors.hpp"
#include "messaging/ports/message.hpp"
#include "messaging/ports/result.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// The Kafka client as people know it: producer, consumer, groups, offsets. Options carry Kafka's
// own names and defaults (Java client 4.x unless a comment says otherwise).

namespace crier::kafka {

using Offset = std::int64_t;

struct TopicPartition {
    std::string topic;
    std::int32_t partition = 0;

    friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

struct TopicPartitionOffset {
    std::string topic;
    std::int32_t partition = 0;
    Offset offset = 0;         ///< For a commit: the *next* record to read.
    std::string metadata = {}; ///< A note that is kept with a commit.

    friend auto operator<=>(const TopicPartitionOffset&, const TopicPartitionOffset&) = default;
};

/// A point of time in a partition.
struct TopicPartitionTime {
    std::string topic;
    std::int32_t partition = 0;
    WallTime time{};
};

struct ProducerRecord {
    std::string topic;
    std::optional<std::int32_t> partition; ///< Chosen from the key, or sticky, when absent.
    std::optional<std::string> key;
    std::string value;
    std::vector<Header> headers;
    std::optional<WallTime> timestamp = {}; ///< CreateTime; absent: now.
    bool is_tombstone = false; ///< Its value is null: on a compacted topic it deletes the key.
};

struct ConsumerRecord {
    std::string topic;
    std::int32_t partition = 0;
    Offset offset = 0;
    WallTime timestamp{}; ///< The producer's or the leader's, as the topic says.
    std::optional<std::string> key;
    std::string value;
    std::vector<Header> headers;
    bool is_tombstone = false; ///< The value is null.
};

/// Returns the place of a record as people write it, `orders/3@17`: its identity when it has no
/// header `id`.
[[nodiscard]] inline std::string place_of_record(const std::string& topic, std::int32_t partition,
                                                 Offset offset) {
    return topic + "/" + std::to_string(partition) + "@" + std::to_string(offset);
}

struct RecordMetadata {
    std::int32_t partition = 0;
    Offset offset = -1; ///< -1 when unknown (acks 0).
};

enum class Acks { none, leader, all };

struct ProducerOptions {
    std::string client_id;
    Acks acks = Acks::all;
    int max_in_flight = 5; ///< max.in.flight.requests.per.connection
    /// Gives way to acks other than all, no retries, and more than 5 in flight, as in the Java
    /// client.
    bool enable_idempotence = true;
    std::size_t batch_size = 16384;
    std::size_t buffer_memory = 33554432;
    std::size_t max_request_size = 1048576;
    Duration linger = std::chrono::milliseconds(5);
    int retries = 2147483647;
    Duration retry_backoff = std::chrono::milliseconds(100);
    Duration retry_backoff_max = std::chrono::milliseconds(1000);
    Duration request_timeout = std::chrono::seconds(30);
    Duration delivery_timeout = std::chrono::seconds(120);
    Duration max_block = std::chrono::seconds(60);
    std::string transactional_id; ///< Of `Client::transactional_producer` only.
    Duration transaction_timeout = std::chrono::seconds(60);
};

/// Whether a producer with these options is idempotent. **Source**: Kafka ProducerConfig
/// .postProcessAndValidateIdempotenceConfigs: the default gives way to settings that contradict it.
[[nodiscard]] inline bool is_idempotent(const ProducerOptions& options) {
    constexpr int in_flight_max = 5;
    return options.enable_idempotence && options.acks == Acks::all && options.retries > 0 &&
           options.max_in_flight <= in_flight_max;
}

/// Returns what the Java client finds wrong with the options, in its words, or nothing: its
/// constructor throws a ConfigException then. A `delivery_timeout` of the default length is raised
/// instead. **Source**: Kafka KafkaProducer.configureDeliveryTimeout, ProducerConfig.
[[nodiscard]] inline std::string config_error(const ProducerOptions& options) {
    const bool is_default = options.delivery_timeout == ProducerOptions().delivery_timeout;
    if (!is_default && options.delivery_timeout < options.linger + options.request_timeout) {
        return "delivery.timeout.ms should be equal to or larger than linger.ms + "
               "request.timeout.ms";
    }
    if (!options.transactional_id.empty() && !is_idempotent(options)) {
        return "a transactional.id needs idempotence, acks=all, retries, and no more than 5 in "
               "flight";
    }
    return {};
}

/// `by_duration`: the first record not older than `auto_offset_reset_duration`.
enum class OffsetReset { earliest, latest, none, by_duration };

/// Whether a consumer reads records of transactions that are open or were aborted.
enum class Isolation { read_uncommitted, read_committed };

/// How the leader of a group shares out partitions.
enum class Assignor { range, round_robin, sticky, cooperative_sticky };

/// Whether a member with these assignors keeps its partitions while the group rebalances, and gives
/// back only those that go elsewhere. **Source**: KIP-429: the way that all of them know.
[[nodiscard]] inline bool is_cooperative(const std::vector<Assignor>& assignors) {
    return std::all_of(assignors.begin(), assignors.end(),
                       [](Assignor assignor) { return assignor == Assignor::cooperative_sticky; });
}

/// How members and coordinator agree on who has what. The classic protocol lets a member share out,
/// in rounds of joining; by the new one (KIP-848) the coordinator does, which then also decides on
/// sessions and heartbeats.
enum class GroupProtocol { classic, consumer };

struct ConsumerOptions {
    std::string client_id;
    std::string group_id;
    /// group.instance.id; not empty: a static member, which comes back under this name without a
    /// rebalance. No two members of a group at once may have the same.
    std::string group_instance_id;
    bool enable_auto_commit = true;
    Duration auto_commit_interval = std::chrono::seconds(5);
    OffsetReset auto_offset_reset = OffsetReset::latest;
    Duration auto_offset_reset_duration{};
    Isolation isolation = Isolation::read_uncommitted; ///< isolation.level
    GroupProtocol group_protocol = GroupProtocol::classic;
    std::string group_remote_assignor; ///< Of the new protocol; empty: the group's choice.
    /// Of the classic protocol, the preferred first: partition.assignment.strategy. By this default
    /// a group of one mind uses range, eagerly; when its members are restarted one by one with
    /// cooperative-sticky alone, it becomes cooperative.
    std::vector<Assignor> assignors{Assignor::range, Assignor::cooperative_sticky};
    Duration session_timeout = std::chrono::seconds(45);
    Duration heartbeat_interval = std::chrono::seconds(3);
    Duration max_poll_interval = std::chrono::seconds(300);
    Duration request_timeout = std::chrono::seconds(30);
    Duration default_api_timeout = std::chrono::seconds(60);
    Duration retry_backoff = std::chrono::milliseconds(100);
    Duration fetch_max_wait = std::chrono::milliseconds(500);
    int max_poll_records = 500;
    std::size_t fetch_min_bytes = 1;
    std::size_t fetch_max_bytes = 52428800;
    std::size_t max_partition_fetch_bytes = 1048576;
};

/// Sends records. Batches by partition; retries by itself until `delivery_timeout`.
class Producer {
public:
    virtual ~Producer() = default;

    /// Queues `records` in the order given and completes when each has its outcome.
    /// Waits while `buffer_memory` is full; a record that waits longer than `max_block` fails with
    /// REQUEST_TIMED_OUT, and one larger than `max_request_size` at once with MESSAGE_TOO_LARGE.
    /// **Shape**: one outcome per record, same order. **Errors**: unknown when a request that held
    /// the record was sent and never answered; failed when none was.
    /// **Cancellation**: the records stay queued; their outcomes are dropped.
    [[nodiscard]] virtual asio::awaitable<std::vector<Outcome<RecordMetadata>>>
    send(std::vector<ProducerRecord> records) = 0;

    /// Completes when every record queued before has its outcome.
    [[nodiscard]] virtual asio::awaitable<void> flush() = 0;
};

/// Who commits offsets inside a transaction. Without a member only the group's name counts, and no
/// zombie is stopped. **Source**: KIP-447.
struct GroupMetadata {
    std::string group_id;
    std::string member_id;
    std::int32_t generation = -1;
    std::string instance_id = {}; ///< Of a static member.
    std::string token = {};       ///< What a client library keeps of it in words of its own.
};

/// Where a transactional producer stands, and with it what may be called.
enum class TransactionPhase {
    uninitialized, ///< `init` comes first.
    ready,         ///< `begin` may be called.
    in_transaction,
    unsettled, ///< A `commit` or `abort` ended without an answer: the same call again.
    abortable, ///< Something failed: only `abort` goes on.
    fatal,     ///< Fenced by another producer, or worse: this producer is over.
};

/// A producer whose records and offsets become visible together, or not at all, to consumers that
/// read committed records. One coroutine uses it at a time, but for `send`.
/// **Errors**: a call in the wrong phase throws `std::logic_error`. A failed call names the error;
/// `phase()` tells what may follow.
class TransactionalProducer : public Producer {
public:
    /// Takes the transactional id: fences every producer that had it, and ends what it left open.
    /// **Errors**: REQUEST_TIMED_OUT after `max_block`: call it again.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> init() = 0;

    virtual void begin() = 0;

    /// Commits offsets of a consumer as part of the transaction.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>>
    send_offsets(std::vector<TopicPartitionOffset> offsets, GroupMetadata group) = 0;

    /// Waits for everything sent, then commits. Completes when the verdict is certain; readers see
    /// the records soon after. **Errors**: failed, when a send of the transaction has failed;
    /// unknown after `max_block`.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> commit() = 0;

    /// Drops what was not sent, and aborts.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> abort() = 0;

    [[nodiscard]] virtual TransactionPhase phase() const = 0;
};

/// Told of rebalances, inside `poll` and `close`. Of a cooperative member only the partitions that
/// go or come are told, else all.
class RebalanceListener {
public:
    virtual ~RebalanceListener() = default;

    /// Still the owner: the last moment to commit.
    virtual asio::awaitable<void> partitions_revoked(std::vector<TopicPartition> partitions) = 0;
    virtual asio::awaitable<void> partitions_assigned(std::vector<TopicPartition> partitions) = 0;
    /// Not the owner any more: commits will be refused.
    virtual asio::awaitable<void> partitions_lost(std::vector<TopicPartition> partitions) = 0;
};

/// A member of a consumer group, or a reader of partitions that it chose itself. One coroutine uses
/// it at a time, as in Kafka.
class Consumer {
public:
    virtual ~Consumer() = default;

    /// Names the topics; membership begins with the next `poll`. `listener` may be null and must
    /// outlive the consumer.
    virtual void subscribe(std::vector<std::string> topics, RebalanceListener* listener) = 0;

    /// Takes these partitions, without being a member of a group: nobody takes them away. Commits
    /// are accepted as long as the group has no members. What was assigned before and is again goes
    /// on where it is. **Requires** that it never subscribed.
    virtual void assign(std::vector<TopicPartition> partitions) = 0;

    /// Takes part in the group and returns up to `max_poll_records` records, waiting up to
    /// `timeout`.
    /// **Order**: offsets ascending in a partition; between partitions unspecified.
    /// **Errors**: `is_fatal` ones stay: this consumer is of no more use.
    [[nodiscard]] virtual asio::awaitable<Outcome<std::vector<ConsumerRecord>>>
    poll(Duration timeout) = 0;

    /// Commits the offsets and waits. **Errors**: failed with ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID
    /// or REBALANCE_IN_PROGRESS: this member was not the owner; unknown after
    /// `default_api_timeout`.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>>
    commit(std::vector<TopicPartitionOffset> offsets) = 0;

    /// Returns what the group has committed for the partitions, without those it has nothing for.
    [[nodiscard]] virtual asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
    committed(std::vector<TopicPartition> partitions) = 0;

    /// Stops or starts returning records of an assigned partition.
    /// **Errors**: throws `std::logic_error` when the partition is not held; so does `seek`.
    virtual void pause(const TopicPartition& partition) = 0;
    virtual void resume(const TopicPartition& partition) = 0;

    /// Moves the position of an assigned partition; the next `poll` reads from there.
    virtual void seek(const TopicPartition& partition, Offset offset) = 0;

    /// Returns the offset of the next record that `poll` will return of an assigned partition;
    /// looks it up if need be. **Errors**: as `seek`; failed with OFFSET_OUT_OF_RANGE when there is
    /// no position and no policy to find one, with REQUEST_TIMED_OUT after `default_api_timeout`.
    [[nodiscard]] virtual asio::awaitable<Outcome<Offset>> position(TopicPartition partition) = 0;

    /// Returns where partitions begin, where they end for readers, and the first offset whose
    /// record is as late as the time given, -1 when none is. **Shape**: one per argument, same
    /// order. **Errors**: failed, after `default_api_timeout`.
    [[nodiscard]] virtual asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
    beginning_offsets(std::vector<TopicPartition> partitions) = 0;
    [[nodiscard]] virtual asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
    end_offsets(std::vector<TopicPartition> partitions) = 0;
    [[nodiscard]] virtual asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
    offsets_for_times(std::vector<TopicPartitionTime> times) = 0;

    /// Returns this member's place in its group, for offsets in a transaction.
    [[nodiscard]] virtual GroupMetadata group_metadata() const = 0;

    /// Returns the partitions held, sorted.
    [[nodiscard]] virtual std::vector<TopicPartition> assignment() const = 0;

    /// Auto-commits if enabled, calls `partitions_revoked`, and leaves the group; a static member
    /// stays in it until its session ends.
    [[nodiscard]] virtual asio::awaitable<void> close() = 0;
};

struct AdminOptions {
    Duration request_timeout = std::chrono::seconds(30);
    Duration default_api_timeout = std::chrono::seconds(60);
    Duration retry_backoff = std::chrono::milliseconds(100);
};

/// A topic to be made, with the broker's defaults.
struct NewTopic {
    std::string name;
    std::int32_t partitions = 1;
    std::int32_t replication = 1;
    std::int32_t min_insync = 1; ///< min.insync.replicas
};

/// What operators do to topics.
class Admin {
public:
    virtual ~Admin() = default;

    /// Deletes the records before each offset; -1: all that are stored. Completes when every live
    /// replica has. **Returns** where each partition begins now, same order. **Errors**: those of
    /// the first partition that failed, the ones after it untouched; unknown when a request was
    /// sent and never answered.
    [[nodiscard]] virtual asio::awaitable<Outcome<std::vector<TopicPartitionOffset>>>
    delete_records(std::vector<TopicPartitionOffset> before) = 0;

    /// These complete when the controller has decided; brokers and clients learn of it later, a
    /// client up to five minutes (metadata.max.age.ms) later.
    /// **Errors** of all three: unknown when a request was sent and never answered.
    /// Makes a topic. **Errors**: TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS,
    /// INVALID_REPLICATION_FACTOR when there are fewer brokers.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> create_topic(NewTopic topic) = 0;
    /// Gives a topic more partitions, `count` in all. Keys move: their order does not hold across
    /// the change. **Errors**: INVALID_PARTITIONS when it has as many, UNKNOWN_TOPIC_OR_PARTITION.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> create_partitions(std::string topic,
                                                                           std::int32_t count) = 0;
    /// Deletes a topic with its records, and all commits for it. **Errors**:
    /// UNKNOWN_TOPIC_OR_PARTITION.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> delete_topic(std::string topic) = 0;
};

/// Makes producers and consumers for one cluster.
class Client {
public:
    virtual ~Client() = default;
    [[nodiscard]] virtual std::unique_ptr<Producer> producer(ProducerOptions options) = 0;

    /// **Requires** a transactional id, and options that allow idempotence.
    [[nodiscard]] virtual std::unique_ptr<TransactionalProducer>
    transactional_producer(ProducerOptions options) = 0;

    [[nodiscard]] virtual std::unique_ptr<Consumer> consumer(ConsumerOptions options) = 0;
    [[nodiscard]] virtual std::unique_ptr<Admin> admin(AdminOptions options) = 0;
};

} // namespace crier::kafka
