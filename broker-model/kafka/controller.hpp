#pragma once

#include "broker-model/kafka/alarm.hpp"
#include "broker-model/kafka/cluster.hpp"
#include "broker-model/kafka/election.hpp"

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
        std::uint64_t version = 0; ///< Of the metadata that first holds this registration.
    };

    explicit ControllerState(const Cluster& cluster);

    std::uint64_t lose_unsynced(std::optional<sim::Draw>) override { return 0; }

    std::vector<PartitionState> partitions;
    std::vector<Registration> brokers; ///< By broker - 1.
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

    /// Makes the next live replica in sync, in the order of assignment, the leader, as an operator
    /// or a balancer does. **Returns** whether there was one. **Source**: Kafka
    /// ReplicationControlManager.electLeaders, PartitionChangeBuilder.
    bool move_leader(PartitionId partition);

private:
    [[nodiscard]] bool is_live(BrokerId broker) const;
    [[nodiscard]] bool may_alter(const AlterPartitionRequest& request) const;
    void fence(BrokerId broker);
    void unfence(BrokerId broker);
    void create_topics();
    void create(PartitionState& state);
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
    std::vector<Instant> session_ends_; // by broker - 1
    Alarm<Controller, &Controller::check_sessions> alarm_;
};

} // namespace crier::broker::kafka
