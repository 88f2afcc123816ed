#pragma once

#include "messaging/ports/kafka.hpp"
#include "messaging/ports/kafka_share.hpp"
#include "sim/network.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

// What clients, brokers and the controller say to each other: one request and one answer type per
// Kafka API, as plain values. Topics are numbers inside the model (see TopicTable), names at its
// rim. Field names follow Kafka's protocol guide.

namespace crier::broker::kafka {

using crier::kafka::ErrorCode;
using crier::kafka::Offset;

using TopicId = std::uint32_t;
using BrokerId = std::uint32_t; ///< 1, 2, 3 … within a cluster.

/// A partition inside the model, by topic name and number: dense over all that a cluster ever had.
/// A topic that is deleted and made anew has its numbers again, under another `topic_id`.
using PartitionId = std::uint32_t;

struct Record {
    std::optional<std::string> key;
    std::string value;
    std::vector<Header> headers;
    std::int64_t timestamp = 0; ///< Wall nanoseconds at the producer (CreateTime).
    bool is_tombstone = false;  ///< The value is null.
    std::uint64_t message = 0;  ///< To the history: its identity, 0 without header `id`.
};

/// Records that travel and are stored as one; shared by all replicas and readers, never changed.
struct RecordBatch {
    std::vector<Record> records;
    std::size_t bytes = 0;           ///< On the wire.
    std::int64_t max_timestamp = -1; ///< The latest of its records'; -1: none has one.

    /// Of a batch that was compacted: where its records lie from its base offset, and how many
    /// offsets it had. Empty and 0: one record an offset.
    std::vector<std::int32_t> offset_deltas = {};
    std::int32_t compacted_span = 0;

    /// Returns how many offsets it takes up.
    [[nodiscard]] Offset span() const {
        return compacted_span > 0 ? compacted_span : static_cast<Offset>(records.size());
    }
    [[nodiscard]] Offset delta(std::size_t record) const {
        return compacted_span > 0 ? offset_deltas[record] : static_cast<Offset>(record);
    }
};
using SharedBatch = std::shared_ptr<const RecordBatch>;

/// Who wrote a batch, and its place among that producer's records in the partition. Not part of the
/// shared records: a producer may number the same ones anew. **Source**: Kafka DefaultRecordBatch.
struct ProducerStamp {
    std::int64_t id = -1; ///< -1: not an idempotent producer.
    std::int16_t epoch = -1;
    std::int32_t sequence =
        -1; ///< Of the first record; -1: not checked (written by a coordinator).
    bool is_transactional = false;
    /// To the history: the transaction that its client means, 0 for none. No batch of Kafka has
    /// it, and no broker decides by it.
    std::uint64_t transaction = 0;

    [[nodiscard]] bool is_set() const { return id >= 0; }
};

/// What a control batch says of the open transaction of its producer in the partition. It takes one
/// offset and is never handed out. **Source**: Kafka ControlRecordType, EndTransactionMarker.
enum class Marker : std::uint8_t { none, commit, abort };

/// A transaction that was aborted, as a reader of committed records needs to know it.
struct AbortedTransaction {
    std::int64_t producer = -1;
    Offset first = 0;
};

/// A batch where it lies in a log.
struct StoredBatch {
    Offset base_offset = 0;
    std::int32_t leader_epoch = 0;
    SharedBatch batch;
    ProducerStamp producer = {};
    std::int64_t append_time = -1; ///< LogAppendTime; -1: the records' own times count.
    /// When its tombstones may go: set when a cleaner first meets them. -1: not yet.
    std::int64_t delete_horizon = -1;
    Marker marker = Marker::none;
    std::int32_t coordinator_epoch = -1; ///< Of a marker.

    [[nodiscard]] std::int64_t timestamp_of(const Record& record) const {
        return append_time < 0 ? record.timestamp : append_time;
    }
    [[nodiscard]] std::int64_t max_timestamp() const {
        return append_time < 0 ? batch->max_timestamp : append_time;
    }
    [[nodiscard]] Offset offset_of(std::size_t record) const {
        return base_offset + batch->delta(record);
    }
    [[nodiscard]] Offset end_offset() const { return base_offset + batch->span(); }
};

namespace calls {
inline constexpr sim::CallKind metadata{"metadata"};
inline constexpr sim::CallKind produce{"produce"};
inline constexpr sim::CallKind fetch{"fetch"};
inline constexpr sim::CallKind replica_fetch{"replica-fetch"};
inline constexpr sim::CallKind list_offsets{"list-offsets"};
inline constexpr sim::CallKind delete_records{"delete-records"};
inline constexpr sim::CallKind offsets_for_leader_epoch{"offsets-for-leader-epoch"};
inline constexpr sim::CallKind init_producer_id{"init-producer-id"};
inline constexpr sim::CallKind add_partitions_to_txn{"add-partitions-to-txn"};
inline constexpr sim::CallKind verify_partitions{"verify-partitions"}; ///< The same, of a leader.
inline constexpr sim::CallKind add_offsets_to_txn{"add-offsets-to-txn"};
inline constexpr sim::CallKind end_txn{"end-txn"};
inline constexpr sim::CallKind write_txn_markers{"write-txn-markers"};
inline constexpr sim::CallKind txn_offset_commit{"txn-offset-commit"};
inline constexpr sim::CallKind find_coordinator{"find-coordinator"};
inline constexpr sim::CallKind join_group{"join-group"};
inline constexpr sim::CallKind sync_group{"sync-group"};
inline constexpr sim::CallKind heartbeat{"heartbeat"};
inline constexpr sim::CallKind leave_group{"leave-group"};
inline constexpr sim::CallKind offset_commit{"offset-commit"};
inline constexpr sim::CallKind offset_fetch{"offset-fetch"};
inline constexpr sim::CallKind create_topic{"create-topic"}; ///< Broker to controller; no answer.
inline constexpr sim::CallKind create_topics{"create-topics"};
inline constexpr sim::CallKind create_partitions{"create-partitions"};
inline constexpr sim::CallKind delete_topics{"delete-topics"};
inline constexpr sim::CallKind consumer_group_heartbeat{"consumer-group-heartbeat"};
inline constexpr sim::CallKind share_group_heartbeat{"share-group-heartbeat"};
inline constexpr sim::CallKind share_fetch{"share-fetch"};
inline constexpr sim::CallKind share_acknowledge{"share-acknowledge"};
inline constexpr sim::CallKind read_share_state{"read-share-state"};
inline constexpr sim::CallKind write_share_state{"write-share-state"};
inline constexpr sim::CallKind delete_group{"delete-group"};
inline constexpr sim::CallKind offset_delete{"offset-delete"};
inline constexpr sim::CallKind register_broker{"register-broker"};
inline constexpr sim::CallKind broker_heartbeat{"broker-heartbeat"};
inline constexpr sim::CallKind alter_partition{"alter-partition"};
inline constexpr sim::CallKind metadata_push{
    "metadata-push"}; ///< Controller to brokers; no answer.
} // namespace calls

struct PartitionState {
    PartitionId partition = 0;
    std::uint32_t topic_id = 0;        ///< Of the topic as it was made last; 0: it is not there.
    BrokerId leader = 0;               ///< 0: none.
    std::int32_t leader_epoch = -1;    ///< -1: not created yet.
    std::int32_t partition_epoch = -1; ///< Moves with every change, also of the ISR alone.
    std::vector<BrokerId> replicas;    ///< In assignment order.
    std::vector<BrokerId> isr;         ///< Sorted.
    std::vector<BrokerId> elr = {};    ///< Eligible leader replicas, sorted; see `elect`.
    BrokerId last_known_leader = 0;    ///< When ISR and ELR came to be empty; 0: unknown.

    [[nodiscard]] bool is_created() const { return leader_epoch >= 0; }
};

/// The controller's view at one version; clients get it from any broker, possibly stale.
struct ClusterMetadata {
    std::uint64_t version = 0;
    std::vector<PartitionState> partitions;     ///< By PartitionId.
    std::vector<std::int32_t> partition_counts; ///< By TopicId; 0: there is no such topic.
    std::vector<BrokerId> live_brokers;         ///< Registered and not fenced; sorted.
};

struct MetadataRequest {};
struct MetadataAnswer {
    std::shared_ptr<const ClusterMetadata> metadata;
};

struct InitProducerIdRequest {
    std::string transactional_id; ///< Empty: only idempotent.
    Duration transaction_timeout{};
    std::int64_t producer = -1; ///< Of a producer that asks for a higher epoch …
    std::int16_t epoch = -1;    ///< … than this.
};
struct InitProducerIdAnswer {
    ErrorCode error = ErrorCode::none;
    std::int64_t id = -1;
    std::int16_t epoch = -1;
};

struct ProducePartition {
    PartitionId partition = 0;
    SharedBatch batch;
    ProducerStamp producer = {};
    std::uint32_t topic_id = 0; ///< That the producer knows; 0: do not check (so, too, of fetches).
};
struct ProduceRequest {
    crier::kafka::Acks acks = crier::kafka::Acks::all;
    std::uint64_t client = 0; ///< Whose quota it counts for; 0: none.
    Duration timeout{};
    std::vector<ProducePartition> partitions;
    std::string transactional_id; ///< Empty: no transaction.
};
struct ProducePartitionAnswer {
    PartitionId partition = 0;
    ErrorCode error = ErrorCode::none;
    Offset base_offset = -1;
    std::vector<std::int32_t> bad_records; ///< Indexes of those for which the batch was refused.
};
struct ProduceAnswer {
    Duration throttle{};                            ///< The client is to send nothing for so long.
    std::vector<ProducePartitionAnswer> partitions; ///< One per partition asked, same order.
};

/// Adds partitions to a transaction; or, sent by a leader, asks whether they are part of it.
struct AddPartitionsRequest {
    std::string transactional_id;
    std::int64_t producer = -1;
    std::int16_t epoch = -1;
    std::vector<PartitionId> partitions;
    bool verify_only = false;
};
struct AddPartitionsAnswer {
    std::vector<ErrorCode> errors; ///< One per partition, same order.
};
struct EndTransactionRequest {
    std::string transactional_id;
    std::int64_t producer = -1;
    std::int16_t epoch = -1;
    bool committed = false;
    std::uint64_t transaction = 0; ///< To the history, as in ProducerStamp.
};
struct EndTransactionAnswer {
    ErrorCode error = ErrorCode::none;
    std::int64_t producer = -1; ///< For the next transaction …
    std::int16_t epoch = -1;    ///< … where the version gives each an epoch of its own.
};
/// A coordinator's verdict on its way into the logs of the partitions.
struct WriteMarkersRequest {
    ProducerStamp producer;
    Marker marker = Marker::none;
    std::int32_t coordinator_epoch = -1;
    std::vector<PartitionId> partitions;
};
struct WriteMarkersAnswer {
    std::vector<ErrorCode> errors; ///< One per partition, same order.
};

struct FetchPartition {
    PartitionId partition = 0;
    Offset fetch_offset = 0;
    std::int32_t current_leader_epoch = -1; ///< -1: do not check.
    std::uint32_t topic_id = 0;
    std::int32_t last_fetched_epoch = -1; ///< Of a follower, for divergence; -1: none.
    Offset log_start_offset = -1;         ///< Of a follower's log.
    std::size_t max_bytes = 1048576;
};
struct FetchRequest {
    BrokerId replica = 0;     ///< 0: a consumer.
    std::uint64_t client = 0; ///< A consumer whose quota it counts for; 0: none.
    std::uint64_t replica_broker_epoch = 0;
    Duration max_wait{};
    std::size_t min_bytes = 1;
    std::size_t max_bytes = 52428800;
    crier::kafka::Isolation isolation = crier::kafka::Isolation::read_uncommitted;
    /// Of a follower: what the leader called its session; then `partitions` are only those that
    /// changed. 0: a new session with all of them. **Source**: KIP-227.
    std::uint64_t session = 0;
    std::vector<FetchPartition> partitions;
};
struct FetchPartitionAnswer {
    PartitionId partition = 0;
    ErrorCode error = ErrorCode::none;
    std::int32_t leader_epoch = -1; ///< Of the leader that answers.
    std::uint32_t topic_id = 0;     ///< Of the log that it answers from; to followers only.
    Offset high_watermark = -1;
    Offset log_start_offset = 0;
    std::vector<AbortedTransaction> aborted; ///< That overlap, for a reader of committed records.
    std::optional<std::int32_t> diverging_epoch; ///< The follower has to cut its log …
    Offset diverging_end = -1;                   ///< … where this epoch ended on the leader.
    std::vector<StoredBatch> batches; ///< Whole batches; the first may begin before the offset.
};
struct FetchAnswer {
    std::uint64_t session =
        0;               ///< For a follower; 0: the leader knows no such session, begin again.
    Duration throttle{}; ///< The consumer is to ask nothing for so long; then there are no records.
    std::vector<FetchPartitionAnswer> partitions; ///< Only those with something to tell.
};

/// Instead of a time. **Source**: Kafka ListOffsetsRequest.
inline constexpr std::int64_t latest_timestamp = -1;
inline constexpr std::int64_t earliest_timestamp = -2;

struct ListOffsetsRequest {
    PartitionId partition = 0;
    std::int64_t timestamp = latest_timestamp; ///< Wall nanoseconds, or one of the above.
    crier::kafka::Isolation isolation = crier::kafka::Isolation::read_uncommitted;
};
struct ListOffsetsAnswer {
    ErrorCode error = ErrorCode::none;
    Offset offset = -1;          ///< -1: no record is as late as that.
    std::int64_t timestamp = -1; ///< Of the record found by its time.
};

struct OffsetsForLeaderEpochRequest {
    PartitionId partition = 0;
    std::int32_t current_leader_epoch = -1; ///< That the consumer knows; -1: do not check.
    std::int32_t leader_epoch = -1;         ///< Of the last record that it read.
};
struct OffsetsForLeaderEpochAnswer {
    ErrorCode error = ErrorCode::none;
    std::int32_t leader_epoch = -1; ///< The largest not above the one asked for; -1: none.
    Offset end_offset = -1;         ///< Where that ends in the leader's log.
};

struct DeleteRecordsRequest {
    PartitionId partition = 0;
    Offset offset = -1; ///< The first to be kept; -1: the high watermark.
    Duration timeout{};
};
struct DeleteRecordsAnswer {
    ErrorCode error = ErrorCode::none;
    Offset low_watermark = -1; ///< Where the log begins on every live replica.
};

struct FindCoordinatorRequest {
    std::string id;              ///< Of a group, or a transactional id.
    bool is_transaction = false; ///< Which of both.
};
struct FindCoordinatorAnswer {
    ErrorCode error = ErrorCode::none;
    BrokerId coordinator = 0;
};

struct JoinGroupRequest {
    std::string group;
    std::string member_id;   ///< Empty: a new member, or a static one that comes back.
    std::string instance_id; ///< Of a static member, else empty.
    std::string client_id;
    Duration session_timeout{};
    Duration rebalance_timeout{};
    std::vector<std::string> protocols; ///< Assignors, the preferred first.
    std::vector<TopicId> topics;        ///< Subscription; sorted.
    std::vector<PartitionId> owned; ///< What a sticky member had last, a cooperative one has …
    std::int32_t owned_generation = -1; ///< … and since when.
};
struct GroupMember {
    std::string member_id;
    std::vector<TopicId> topics;
    std::vector<PartitionId> owned = {};
    std::int32_t owned_generation = -1;
    std::string instance_id = {};
};
struct JoinGroupAnswer {
    ErrorCode error = ErrorCode::none;
    std::int32_t generation = -1;
    std::string protocol;
    std::string leader;
    std::string member_id;
    std::vector<GroupMember> members; ///< Only for the leader; sorted by member id.
    bool skip_assignment = false;     ///< A leader that came back: the shares stay as they are.
};

struct MemberAssignment {
    std::string member_id;
    std::vector<PartitionId> partitions;
};
struct SyncGroupRequest {
    std::string group;
    std::string member_id;
    std::string instance_id;
    std::int32_t generation = -1;
    std::vector<MemberAssignment> assignments; ///< Only from the leader.
};
struct SyncGroupAnswer {
    ErrorCode error = ErrorCode::none;
    std::vector<PartitionId> partitions; ///< Sorted.
};

struct HeartbeatRequest {
    std::string group;
    std::string member_id;
    std::string instance_id;
    std::int32_t generation = -1;
};
struct LeaveGroupRequest {
    std::string group;
    std::string member_id; ///< Empty: whoever has the instance id; an administrator asks so.
    std::string instance_id;
};
/// Of heartbeat, leave-group and register-broker: only an error.
struct ErrorAnswer {
    ErrorCode error = ErrorCode::none;
};

struct PartitionOffset {
    PartitionId partition = 0;
    Offset offset = -1;             ///< -1: no commit.
    std::string metadata = {};      ///< Whoever committed wrote it for himself.
    std::int32_t leader_epoch = -1; ///< Of the record before; -1: unknown.
    std::uint32_t topic_id = 0;     ///< That whoever commits knows; 0: do not check.
};
struct OffsetCommitRequest {
    std::string group;
    std::string member_id;
    std::string instance_id;
    std::int32_t generation = -1;
    std::vector<PartitionOffset> offsets;
};
struct OffsetCommitAnswer {
    ErrorCode error = ErrorCode::none; ///< Of all, or of the first partition that was refused …
    bool is_partial = false;           ///< … while others were taken.
};
struct AddOffsetsRequest {
    std::string transactional_id;
    std::int64_t producer = -1;
    std::int16_t epoch = -1;
    std::string group;
};
struct TxnOffsetCommitRequest {
    std::string transactional_id;
    std::int64_t producer = -1;
    std::int16_t epoch = -1;
    OffsetCommitRequest commit;    ///< Generation -1 and no member: the consumer is not checked.
    std::uint64_t transaction = 0; ///< To the history, as in ProducerStamp.
};
struct OffsetFetchRequest {
    std::string group;
    std::string member_id; ///< With its epoch, of a member by the new protocol.
    std::int32_t member_epoch = -1;
    std::vector<PartitionId> partitions;
    bool require_stable = true; ///< UNSTABLE_OFFSET_COMMIT while a transaction's is undecided.
};
struct OffsetFetchAnswer {
    ErrorCode error = ErrorCode::none;
    std::vector<PartitionOffset> offsets; ///< One per partition asked, same order.
};

/// Of a broker that finds a topic missing which is created on demand; no answer tells the outcome
/// but the metadata.
struct CreateTopicRequest {
    TopicId topic = 0;
};

/// What an administrator asks of the controller (KIP-919): one topic at a time.
struct CreateTopicsRequest {
    std::string topic;
    std::int32_t count = 1; ///< Of partitions.
    std::int32_t replication = 1;
    std::int32_t min_insync = 1;
};
struct CreatePartitionsRequest {
    std::string topic;
    std::int32_t count = 0; ///< In all.
};
struct DeleteTopicsRequest {
    std::string topic;
};

/// Says everything that a member by the new protocol has to say (KIP-848).
struct ConsumerGroupHeartbeatRequest {
    std::string group;
    std::string member_id;
    std::int32_t member_epoch = 0; ///< 0: joins; -1: leaves; -2: leaves for a while.
    std::string instance_id;
    std::string client_id;
    Duration rebalance_timeout{};                  ///< None: as before.
    std::optional<std::vector<TopicId>> topics;    ///< Sorted; none: as before.
    std::string assignor;                          ///< Empty: as before, or the group's choice.
    std::optional<std::vector<PartitionId>> owned; ///< None: as said last.
};
struct ConsumerGroupHeartbeatAnswer {
    ErrorCode error = ErrorCode::none;
    std::int32_t member_epoch = -1;
    Duration heartbeat_interval{};
    std::optional<std::vector<PartitionId>> assignment; ///< Sorted; none: as before.
};

struct ShareGroupHeartbeatRequest {
    std::string group;
    std::string member_id;
    std::int32_t member_epoch = 0;              ///< 0: joins; -1: leaves.
    std::optional<std::vector<TopicId>> topics; ///< Sorted; none: as before.
};
struct ShareGroupHeartbeatAnswer {
    ErrorCode error = ErrorCode::none;
    std::int32_t member_epoch = -1;
    Duration heartbeat_interval{};
    std::optional<std::vector<PartitionId>> assignment; ///< Sorted; none: as before.
};

/// What became of the records from `first` to `last`, both included.
struct AcknowledgementBatch {
    Offset first = 0;
    Offset last = 0;
    crier::kafka::AcknowledgeType type = crier::kafka::AcknowledgeType::accept;
};
/// The records from `first` to `last`, both included, were given to the member.
struct AcquiredRecords {
    Offset first = 0;
    Offset last = 0;
    std::int32_t delivery_count = 1;
};
struct ShareFetchPartition {
    PartitionId partition = 0;
    std::vector<AcknowledgementBatch> acknowledgements;
};
struct ShareFetchRequest {
    std::string group;
    std::string member_id;
    std::int32_t session_epoch = 0; ///< 0: a new session; -1: its end, nothing is fetched.
    Duration max_wait{};
    std::size_t max_records = 500;
    bool is_exact = false; ///< No more than that, not even the rest of a batch.
    std::vector<ShareFetchPartition> partitions;
};
struct ShareFetchPartitionAnswer {
    PartitionId partition = 0;
    ErrorCode error = ErrorCode::none;
    ErrorCode acknowledge_error = ErrorCode::none;
    std::vector<AcquiredRecords> acquired;
    std::vector<StoredBatch> batches; ///< With what was acquired, and more.
};
struct ShareFetchAnswer {
    ErrorCode error = ErrorCode::none;
    std::vector<ShareFetchPartitionAnswer> partitions; ///< One per partition asked, same order.
};
/// As a fetch, without fetching.
struct ShareAcknowledgeRequest {
    ShareFetchRequest request;
};

enum class ShareRecordState : std::uint8_t { available, acquired, acknowledged, archived };
struct ShareStateRange {
    Offset first = 0;
    Offset last = 0;
    ShareRecordState state = ShareRecordState::available;
    std::int32_t delivery_count = 0;
};
/// What a share group must not forget of a partition.
struct ShareState {
    Offset start = -1; ///< -1: the group has never read it.
    std::vector<ShareStateRange> ranges;
};
struct ReadShareStateRequest {
    std::string group;
    PartitionId partition = 0;
    std::int32_t leader_epoch = -1; ///< Of the partition: whoever leads later fences the writer.
};
struct ReadShareStateAnswer {
    ErrorCode error = ErrorCode::none;
    ShareState state;
};
struct WriteShareStateRequest {
    std::string group;
    PartitionId partition = 0;
    std::int32_t leader_epoch = -1;
    ShareState state;
};

/// Deletes a group without members, with all its commits.
struct DeleteGroupRequest {
    std::string group;
};
/// Deletes commits of a group for topics that no member subscribes to.
struct OffsetDeleteRequest {
    std::string group;
    std::vector<PartitionId> partitions;
};

struct RegisterBrokerRequest {
    BrokerId broker = 0;
    std::uint64_t clean_epoch = 0; ///< In which it ended in order last; 0: it did not.
};
struct RegisterBrokerAnswer {
    std::uint64_t broker_epoch = 0;
    std::shared_ptr<const ClusterMetadata> metadata;
};
struct BrokerHeartbeatRequest {
    BrokerId broker = 0;
    std::uint64_t broker_epoch = 0;
    std::uint64_t metadata_version = 0; ///< The newest that the broker has.
    bool wants_stop = false;            ///< It is told to stop, and to end in order.
};
struct BrokerHeartbeatAnswer {
    bool is_fenced = true;
    bool is_known = true;  ///< False: register again.
    bool may_stop = false; ///< It leads nothing any more, and everybody knows.
    std::shared_ptr<const ClusterMetadata> metadata; ///< Null: nothing newer.
};
struct AlterPartitionRequest {
    BrokerId broker = 0;
    std::uint64_t broker_epoch = 0;
    PartitionId partition = 0;
    std::uint32_t topic_id = 0;
    std::int32_t leader_epoch = 0;
    std::int32_t partition_epoch = 0;
    std::vector<BrokerId> new_isr; ///< Sorted.
    std::vector<std::uint64_t>
        broker_epochs; ///< Of `new_isr`, as the leader knows them; 0: unknown.
};
struct AlterPartitionAnswer {
    bool accepted = false;
    PartitionState state; ///< As it is now.
};

} // namespace crier::broker::kafka
