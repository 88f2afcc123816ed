#pragma once

#include "broker-model/kafka/log/log_options.hpp"
#include "broker-model/kafka/log/producer_states.hpp"
#include "broker-model/kafka/share_limits.hpp"
#include "sim/node.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace crier::broker::kafka {

class Cluster;
class ControllerState;
class RecordLedger;

struct TopicOptions {
    std::string name;
    std::int32_t partitions = 1;
    std::int32_t replication = 1;
    std::int32_t min_insync = 1;          ///< min.insync.replicas
    bool unclean_leader_election = false; ///< unclean.leader.election.enable
    LogOptions log;
    bool dead_letters = false; ///< Its records are dead letters: told as `dead_lettered`.
};

/// Which live groups may change their protocol. **Source**: Kafka ConsumerGroupMigrationPolicy.
enum class GroupMigrationPolicy : std::uint8_t {
    disabled,
    upgrade,       ///< From classic to consumer.
    downgrade,     ///< From consumer to classic.
    bidirectional, ///< Both.
};

/// Broker settings, by Kafka's names and defaults.
struct ClusterOptions {
    std::string name = "kafka";
    std::int32_t brokers = 3;
    Duration replica_lag_time_max = std::chrono::seconds(30);
    Duration broker_heartbeat_interval = std::chrono::seconds(2);
    Duration broker_session_timeout = std::chrono::seconds(9);
    Duration replica_fetch_wait_max = std::chrono::milliseconds(500);
    Duration log_retention_check_interval = std::chrono::minutes(5);
    /// eligible.leader.replicas.version: on in clusters made by 4.1 or later.
    bool eligible_leader_replicas = false;
    /// leader.imbalance.check.interval.seconds; 0: auto.leader.rebalance.enable is off.
    Duration leader_imbalance_check_interval = std::chrono::minutes(5);
    Duration producer_id_expiration = std::chrono::hours(24);
    Duration producer_id_expiration_check_interval = std::chrono::minutes(10);
    /// Quotas of each client, in bytes a second; 0: none. **Source**: producer_byte_rate,
    /// consumer_byte_rate of the default client id.
    std::int64_t producer_byte_rate = 0;
    std::int64_t consumer_byte_rate = 0;
    Duration log_cleaner_backoff = std::chrono::seconds(15);
    Duration group_initial_rebalance_delay = std::chrono::seconds(3);
    Duration group_min_session_timeout = std::chrono::seconds(6);
    Duration group_max_session_timeout = std::chrono::minutes(30);
    std::int32_t group_max_size = 2147483647;
    Duration consumer_group_session_timeout = std::chrono::seconds(45);
    Duration consumer_group_heartbeat_interval = std::chrono::seconds(5);
    std::int32_t consumer_group_max_size = 2147483647;
    GroupMigrationPolicy consumer_group_migration_policy = GroupMigrationPolicy::bidirectional;
    Duration consumer_group_assignment_interval = std::chrono::seconds(1);
    Duration offsets_commit_timeout = std::chrono::seconds(5);
    Duration offsets_retention = std::chrono::minutes(10080);
    Duration offsets_retention_check_interval = std::chrono::minutes(10);
    /// A commit ages from when it was made, whoever is in the group, as before KIP-211 (2.1).
    bool offsets_expire_by_commit = false;
    std::size_t offset_metadata_max_bytes = 4096;
    ShareLimits share;
    std::int32_t offsets_topic_partitions = 50;
    std::int32_t offsets_topic_min_insync = 1;
    std::int32_t transaction_topic_partitions = 50; ///< transaction.state.log.num.partitions
    std::int32_t transaction_topic_min_insync = 2;  ///< transaction.state.log.min.isr
    int transaction_version = 2; ///< The feature of that name; 2: KIP-890, from 4.0 on.
    bool transaction_partition_verification = true; ///< transaction.partition.verification.enable
    Duration transaction_max_timeout = std::chrono::minutes(15);
    Duration transactional_id_expiration = std::chrono::hours(168);
    /// transaction.remove.expired.transaction.cleanup.interval.ms
    Duration transactional_id_cleanup_interval = std::chrono::hours(1);
    /// transaction.abort.timed.out.transaction.cleanup.interval.ms
    Duration transaction_abort_interval = std::chrono::seconds(10);
    std::int64_t flush_interval =
        0; ///< log.flush.interval.messages; 0: left to the operating system.
};

/// One partition of one topic by its name; a name once given stays.
struct PartitionInfo {
    TopicId topic = 0;
    std::int32_t index = 0;
    std::uint64_t name_text = 0; ///< `orders/3` as a history operand.
};

/// Which partitions the topics have, as somebody knows it: a client or a broker by its metadata, or
/// the world.
class TopicView {
public:
    /// By the cluster's first topics, for who has no metadata yet.
    TopicView(const Cluster& cluster); // NOLINT(google-explicit-constructor)
    TopicView(const Cluster& cluster, const ClusterMetadata& metadata)
        : cluster_(&cluster), metadata_(&metadata) {}

    [[nodiscard]] const Cluster& cluster() const { return *cluster_; }
    [[nodiscard]] std::int32_t partition_count(TopicId topic) const {
        return topic < metadata_->partition_counts.size() ? metadata_->partition_counts[topic] : 0;
    }

private:
    const Cluster* cluster_;
    const ClusterMetadata* metadata_;
};

/// A Kafka cluster: its broker nodes `NAME/1` …, and its controller `NAME/controller`. The
/// controller stands for a KRaft quorum that is always available: it does not die, but can be cut
/// off.
class Cluster {
public:
    /// Adds the nodes to the world; `start()` starts them.
    Cluster(sim::World& world, ClusterOptions options, std::vector<TopicOptions> topics);
    ~Cluster();

    void start();

    [[nodiscard]] sim::World& world() const { return world_; }
    [[nodiscard]] const ClusterOptions& options() const { return options_; }
    [[nodiscard]] sim::Node& broker(BrokerId id) const { return *brokers_[id - 1]; }
    [[nodiscard]] sim::Node& controller() const { return *controller_; }
    [[nodiscard]] BrokerId broker_count() const { return static_cast<BrokerId>(brokers_.size()); }

    /// Returns the topic's number, or nothing if there is, and was, none of that name.
    [[nodiscard]] std::optional<TopicId> find_topic(std::string_view name) const;
    /// Returns the number of the topic of that name, which need not be there (yet).
    TopicId name_topic(std::string_view name);
    /// The controller makes the topic, or makes it anew, with these options; or gives it more
    /// partitions. Only names and numbers: that they are there is the metadata's to say.
    void note_topic(const TopicOptions& options);
    void note_partitions(TopicId topic, std::int32_t count);
    /// Returns where the replicas of a partition are to lie.
    [[nodiscard]] std::vector<BrokerId> replicas_for(PartitionId id) const;

    /// Returns the partition, or nothing if there is, and was, none of that name and number.
    [[nodiscard]] std::optional<PartitionId> find_partition(std::string_view topic,
                                                            std::int32_t index) const;
    [[nodiscard]] const TopicOptions& topic(TopicId id) const { return topics_[id]; }
    /// **Requires** that there is, or was, such a partition.
    [[nodiscard]] PartitionId partition(TopicId topic, std::int32_t index) const {
        return topic_partitions_[topic][static_cast<std::size_t>(index)];
    }
    [[nodiscard]] const PartitionInfo& info(PartitionId id) const { return partitions_[id]; }
    [[nodiscard]] PartitionId partition_count() const {
        return static_cast<PartitionId>(partitions_.size());
    }

    /// Whether the partition belongs to `__consumer_offsets`, or to `__transaction_state`.
    [[nodiscard]] bool is_offsets(PartitionId id) const {
        return partitions_[id].topic == offsets_topic_;
    }
    [[nodiscard]] bool is_transactions(PartitionId id) const {
        return partitions_[id].topic == transaction_topic();
    }
    [[nodiscard]] bool is_internal(PartitionId id) const {
        return is_offsets(id) || is_transactions(id);
    }

    /// Returns the number of `__transaction_state`, which is created when it is first needed.
    [[nodiscard]] TopicId transaction_topic() const { return offsets_topic_ + 1; }

    /// Returns the partition of `__consumer_offsets` whose leader coordinates the group.
    /// **Source**: Kafka GroupCoordinatorService.partitionFor: abs(String.hashCode) mod partitions.
    [[nodiscard]] PartitionId offsets_partition(std::string_view group) const;

    /// Returns the partition of `__transaction_state` whose leader coordinates the transactions.
    /// **Source**: Kafka TransactionStateManager.partitionFor.
    [[nodiscard]] PartitionId transactions_partition(std::string_view transactional_id) const;

    [[nodiscard]] TransactionRules transaction_rules() const {
        return {options_.transaction_partition_verification, options_.transaction_version >= 2};
    }

    /// Whether the partition is there, or will be without being asked for.
    [[nodiscard]] bool is_needed(const PartitionState& state) const;

    /// Returns the node that leads the partition by the controller's word, or null. For fault
    /// targets.
    [[nodiscard]] sim::Node* leader_of(PartitionId partition) const;

    /// Has another replica in sync lead the partition. **Returns** whether one does.
    bool move_leader(PartitionId partition);

    /// Returns the brokers that are down, fenced, or not in sync with something they replicate.
    [[nodiscard]] std::vector<BrokerId> missing() const;

    /// Whether no broker is missing and every partition has a leader.
    [[nodiscard]] bool is_whole() const;

    /// Returns what was told of each partition's records.
    [[nodiscard]] RecordLedger& ledger() const { return *ledger_; }

    /// What administrators ask of the controller, as the world's own deed. **Returns** the error.
    ErrorCode create_topic(const TopicOptions& options);
    ErrorCode add_partitions(std::string_view topic, std::int32_t count);
    ErrorCode delete_topic(std::string_view topic);

    /// Returns the newest metadata.
    [[nodiscard]] const ClusterMetadata& newest_metadata() const;

    /// Returns the metadata of a cluster without topics yet: every partition without a leader.
    [[nodiscard]] const std::shared_ptr<const ClusterMetadata>& first_metadata() const {
        return first_metadata_;
    }

private:
    void number_partitions(TopicId topic);
    [[nodiscard]] std::shared_ptr<const ClusterMetadata> place_replicas() const;

    sim::World& world_;
    ClusterOptions options_;
    std::deque<TopicOptions> topics_; // the internal ones after the first ones
    TopicId offsets_topic_ = 0;
    std::vector<std::vector<PartitionId>> topic_partitions_; // by topic and number
    std::vector<PartitionInfo> partitions_;
    std::vector<sim::Node*> brokers_;
    sim::Node* controller_ = nullptr;
    std::shared_ptr<const ClusterMetadata> first_metadata_;
    ControllerState* controller_state_ = nullptr; // on the controller's disk
    std::unique_ptr<RecordLedger> ledger_;
};

/// Returns Kafka's partition hash of a key. **Source**: Kafka Utils.murmur2.
[[nodiscard]] std::int32_t murmur2(std::string_view key);

/// Returns Java's String.hashCode of an ASCII string.
[[nodiscard]] std::int32_t java_string_hash(std::string_view text);

} // namespace crier::broker::kafka
