#pragma once

#include "broker-model/kafka/broker/alarm.hpp"
#include "broker-model/kafka/cluster.hpp"
#include "broker-model/kafka/controller/election.hpp"

#include <vector>

// The controller: who is registered and alive, who leads, who is in sync. What it decided lies on
// its disk and is never lost, as a quorum's would not be; sessions are volatile and begin anew.
// Source: Kafka ClusterControlManager, BrokerHeartbeatManager, ReplicationControlManager.

namespace crier::broker::kafka {

class ControllerState final : public sim::DurableState {
public:
    struct Registration {
        std::uint64_t epoch = 0; ///< 0: never registered.
        bool is_fenced = true;
        std::uint64_t version = 0;      ///< Of the metadata that first holds this registration.
        std::uint64_t stop_version = 0; ///< … that says that it leads nothing; 0: it does not stop.
    };

    explicit ControllerState(const Cluster& cluster);

    std::uint64_t lose_unsynced(std::optional<sim::Draw>) override { return 0; }

    std::vector<PartitionState> partitions;
    std::vector<std::int32_t> partition_counts; ///< By TopicId; 0: there is no such topic.
    std::uint32_t topic_ids = 0;                ///< Given so far.
    std::vector<Registration> brokers;          ///< By broker - 1.
    std::uint64_t broker_epochs = 0;
    bool has_topics = false;
    std::shared_ptr<const ClusterMetadata> published;
};

class Controller final : public sim::Program {
public:
    Controller(Cluster& cluster, sim::Node& node, ControllerState& state);

    /// A life of a broker begins: whatever the last one led or had in sync is no longer so.
    [[nodiscard]] RegisterBrokerAnswer register_broker(const RegisterBrokerRequest& request);
    [[nodiscard]] BrokerHeartbeatAnswer heartbeat(const BrokerHeartbeatRequest& request);
    [[nodiscard]] AlterPartitionAnswer alter_partition(const AlterPartitionRequest& request);

    /// Creates a topic that was not there yet; no effect before the others are, or if it is.
    void create_topic(const CreateTopicRequest& request);

    /// Makes a topic, or makes it anew after it was deleted: with a topic id of its own, by which
    /// it is not taken for the one before. **Source**: Kafka
    /// ReplicationControlManager.createTopics; KIP-516.
    ErrorCode create_topic(const TopicOptions& topic);
    /// Gives a topic partitions up to so many. **Source**: ReplicationControlManager
    /// .createPartitions.
    ErrorCode add_partitions(std::string_view topic, std::int32_t count);
    /// Deletes a topic with all its records. **Source**: ReplicationControlManager.deleteTopics.
    ErrorCode delete_topic(std::string_view topic);

    /// Makes the next live replica in sync, in the order of assignment, the leader, as an operator
    /// or a balancer does. **Returns** whether there was one. **Source**: Kafka
    /// ReplicationControlManager.electLeaders, PartitionChangeBuilder.
    bool move_leader(PartitionId partition);

private:
    [[nodiscard]] bool is_live(BrokerId broker) const;
    [[nodiscard]] bool may_alter(const AlterPartitionRequest& request) const;
    void fence(BrokerId broker);
    [[nodiscard]] bool may_stop(BrokerId broker);
    void unfence(BrokerId broker);
    void create_topics();
    void create(PartitionState& state);
    void create_partitions(TopicId topic, std::uint32_t topic_id, std::int32_t from);
    /// Returns the topic if it is there and no coordinator's.
    [[nodiscard]] std::optional<TopicId> find_topic(std::string_view name) const;
    [[nodiscard]] std::int32_t live_brokers() const;
    /// Elects in all partitions after `gone` (0: nobody) went, or somebody came.
    void elect_all(BrokerId gone);
    void tell_change(const PartitionState& before, const PartitionState& now);
    void publish();
    void check_sessions();
    void prefer_first_replicas();
    [[nodiscard]] ElectionRules rules_of(PartitionId partition) const;

    Cluster& cluster_;
    sim::Node& node_;
    sim::Process& process_;
    ControllerState& state_;
    std::vector<Instant> session_ends_;        // by broker - 1
    std::vector<std::uint64_t> versions_seen_; // by broker - 1: its metadata at its last heartbeat
    Alarm<Controller, &Controller::check_sessions> alarm_;
};

} // namespace crier::broker::kafka
