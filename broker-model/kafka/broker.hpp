#pragma once

#include "broker-model/kafka/group_coordinator.hpp"
#include "broker-model/kafka/replica_manager.hpp"

// The program of one broker node: its replicas, its groups, and its bond with the controller. In a
// new life it leads nothing until the controller has registered it and said so.

namespace crier::broker::kafka {

class Broker final : public sim::Program {
public:
    Broker(Cluster& cluster, sim::Node& node, BrokerId id);

    /// Returns the broker that runs on the node, or null.
    [[nodiscard]] static Broker* on(const sim::Node& node) {
        return static_cast<Broker*>(node.program());
    }

    [[nodiscard]] ReplicaManager& replicas() { return replicas_; }
    [[nodiscard]] GroupCoordinator& groups() { return groups_; }

    [[nodiscard]] FindCoordinatorAnswer find_coordinator(const std::string& group) const;

    /// Gives an idempotent producer an id of its own, with epoch 0.
    [[nodiscard]] InitProducerIdAnswer init_producer_id();

    /// The controller pushes its newest view. Ignored before this life is registered: it would be
    /// told to lead what the life before led.
    void take_metadata(const std::shared_ptr<const ClusterMetadata>& metadata);

private:
    void register_self();
    void send_heartbeat();
    void take_heartbeat(Instant sent, Outcome<BrokerHeartbeatAnswer> outcome);

    std::int64_t producer_count_ = 0; // of this life
    BrokerHome home_;
    GroupCoordinator groups_;
    ReplicaManager replicas_;
};

} // namespace crier::broker::kafka
