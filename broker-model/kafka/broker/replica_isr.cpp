#include "broker-model/kafka/broker/replica_manager.hpp"
#include "broker-model/kafka/broker_request.hpp"

#include <algorithm>

// The leader's proposals to the controller who is in sync. Source: Kafka Partition.maybeShrinkIsr,
// maybeExpandIsr, AlterPartitionManager; KIP-497, KIP-903.

namespace crier::broker::kafka {

// Whoever has caught up joins. Looked at when a follower fetches, and again when the controller's
// view moves: a follower that has everything may fetch nothing more that would remind of it.
void ReplicaManager::invite(Replica& replica) {
    if (!replica.leads() || replica.is_altering) return;
    std::vector<BrokerId> isr = replica.state.isr;
    for (const Peer& peer : replica.peers) {
        if (!replica.may_join(peer, metadata_->live_brokers)) continue;
        isr.insert(std::lower_bound(isr.begin(), isr.end(), peer.broker), peer.broker);
    }
    if (isr.size() > replica.state.isr.size()) propose_isr(replica, std::move(isr));
}

void ReplicaManager::propose_isr(Replica& replica, std::vector<BrokerId> isr) {
    replica.is_altering = true;
    AlterPartitionRequest request;
    request.broker = home_.id;
    request.broker_epoch = home_.broker_epoch;
    request.partition = replica.id;
    request.topic_id = replica.state.topic_id;
    request.leader_epoch = replica.state.leader_epoch;
    request.partition_epoch = replica.state.partition_epoch;
    for (const BrokerId broker : isr) {
        if (!replica.is_in_isr(broker)) replica.joining.push_back(broker);
        request.broker_epochs.push_back(broker == home_.id ? home_.broker_epoch
                                                           : sessions_[broker - 1].broker_epoch);
    }
    request.new_isr = std::move(isr);
    send_proposal(replica.id, std::move(request));
}

void ReplicaManager::send_proposal(PartitionId partition, AlterPartitionRequest request) {
    sim::Node& controller = home_.cluster.controller();
    home_.network().async_call<AlterPartitionAnswer>(
        home_.process, controller, calls::alter_partition, sim::CallOptions{},
        BrokerRequest<AlterPartitionRequest, AlterPartitionAnswer>(home_.cluster, controller,
                                                                   request),
        [this, partition, request](Outcome<AlterPartitionAnswer> outcome) {
            Replica* const found = find(partition);
            if (found == nullptr || found->state.topic_id != request.topic_id) return;
            Replica& replica = *found;
            const bool is_current = replica.leads() && replica.is_altering &&
                                    replica.state.leader_epoch == request.leader_epoch &&
                                    replica.state.partition_epoch == request.partition_epoch;
            if (!is_current) return; // the controller's view came another way
            if (!outcome) {
                // It may have been carried out: those who may have joined count until it is known.
                constexpr Duration retry = std::chrono::milliseconds(50);
                home_.kernel().at(home_.process, home_.now() + retry, [this, partition, request] {
                    send_proposal(partition, request);
                });
                return;
            }
            apply(replica, outcome->state);
            replica.is_altering = false;
            replica.joining.clear();
            if (outcome->accepted) {
                invite(replica);
            } else {
                refused_.push_back(partition);
            }
            advance(replica);
            settle();
        });
}

void ReplicaManager::shrink_isrs() {
    const Duration lag_max = home_.cluster.options().replica_lag_time_max;
    const Instant now = home_.now();
    for (const auto& replica : replicas_) {
        if (!replica || !replica->leads() || replica->is_altering) continue;
        std::vector<BrokerId> isr = replica->state.isr;
        for (const Peer& peer : replica->peers) {
            if (replica->lags(peer, now, lag_max)) std::erase(isr, peer.broker);
        }
        if (isr.size() < replica->state.isr.size()) propose_isr(*replica, std::move(isr));
    }
    home_.kernel().at(home_.process, now + lag_max / 2, [this] { shrink_isrs(); });
}

} // namespace crier::broker::kafka
