#pragma once

#include "broker-model/kafka/broker/replica_manager.hpp"
#include "broker-model/kafka/groups/group_coordinator.hpp"
#include "broker-model/kafka/groups/share_manager.hpp"
#include "broker-model/kafka/transactions/transaction_coordinator.hpp"
#include "broker-model/kafka/transactions/transaction_verifier.hpp"

// The program of one broker node: its replicas, its groups, and its bond with the controller. In a
// new life it leads nothing until the controller has registered it and said so.

namespace crier::broker::kafka {

class Broker final : public sim::Program {
public:
    Broker(Cluster& cluster, sim::Node& node, BrokerId id);

    /// Ends in order: others lead first, then the logs are flushed. **Source**: Kafka
    /// BrokerLifecycleManager.beginControlledShutdown, LogManager.shutdown.
    void stop(Duration grace, std::function<void()> done) override;

    /// Returns the broker that runs on the node, or null.
    [[nodiscard]] static Broker* on(const sim::Node& node) {
        return static_cast<Broker*>(node.program());
    }

    [[nodiscard]] ReplicaManager& replicas() { return replicas_; }
    [[nodiscard]] GroupCoordinator& groups() { return groups_; }
    [[nodiscard]] ShareManager& shares() { return shares_; }

    [[nodiscard]] TransactionCoordinator& transactions() { return transactions_; }

    /// Returns how many partitions its metadata tell of.
    [[nodiscard]] std::size_t count_of_partitions() const;

    [[nodiscard]] FindCoordinatorAnswer find_coordinator(const FindCoordinatorRequest& request);

    /// Gives an idempotent producer an id of its own, with epoch 0.
    [[nodiscard]] InitProducerIdAnswer init_producer_id();

    void produce(ProduceRequest request, sim::Reply<ProduceAnswer> reply);
    void commit_in_transaction(TxnOffsetCommitRequest request,
                               sim::Reply<OffsetCommitAnswer> reply);
    void add_offsets(const AddOffsetsRequest& request, sim::Reply<AddPartitionsAnswer> reply);
    void write_markers(const WriteMarkersRequest& request, sim::Reply<WriteMarkersAnswer> reply);

    /// The controller pushes its newest view. Ignored before this life is registered: it would be
    /// told to lead what the life before led.
    void take_metadata(const std::shared_ptr<const ClusterMetadata>& metadata);

private:
    void register_self();
    void send_heartbeat();
    void take_heartbeat(Instant sent, Outcome<BrokerHeartbeatAnswer> outcome);

    void ask_for_transaction_topic();

    BrokerHome home_;
    ProducerIds producer_ids_;
    GroupCoordinator groups_;
    TransactionCoordinator transactions_;
    ReplicaManager replicas_;
    TransactionVerifier verifier_;
    ShareManager shares_;
    std::function<void()> stopped_; // told to stop, and not done yet
    bool has_asked_to_stop_ = false;
    std::uint64_t heartbeats_ = 0; // rounds; an older one's timer does nothing
};

} // namespace crier::broker::kafka
