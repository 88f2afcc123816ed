#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <functional>
#include <memory>
#include <vector>

// A coordinator's verdict on its way into the partitions of one transaction: sent to each leader,
// and again, until every partition has it. Source: Kafka TransactionMarkerChannelManager,
// TransactionMarkerRequestCompletionHandler.

namespace crier::broker::kafka {

struct BrokerHome;
class ReplicaManager;

class TransactionMarkers : public std::enable_shared_from_this<TransactionMarkers> {
public:
    /// `verdict.partitions` is what is left to do; `done` is called once, when that is nothing.
    TransactionMarkers(BrokerHome& home, const ReplicaManager& replicas,
                       WriteMarkersRequest verdict, std::function<void()> done)
        : home_(home), replicas_(replicas), verdict_(std::move(verdict)), done_(std::move(done)) {}

    /// Sends to all leaders that are known.
    void send();

    /// The coordinator has moved: nothing more is sent.
    void cancel() { is_over_ = true; }

private:
    void send_to(BrokerId leader, std::vector<PartitionId> partitions);
    void note(const std::vector<PartitionId>& asked, const Outcome<WriteMarkersAnswer>& outcome);
    void send_again();

    BrokerHome& home_;
    const ReplicaManager& replicas_;
    WriteMarkersRequest verdict_;
    std::vector<PartitionId> under_way_;
    std::function<void()> done_;
    bool is_retrying_ = false;
    bool is_over_ = false;
};

} // namespace crier::broker::kafka
