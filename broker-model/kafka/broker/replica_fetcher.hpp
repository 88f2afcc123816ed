#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <vector>

// A follower's side of replication from one leader: one long poll at a time, in a fetch session, so
// that a request names only partitions whose position changed. Source: Kafka AbstractFetcherThread.

namespace crier::broker::kafka {

struct BrokerHome;
class ReplicaManager;

class ReplicaFetcher {
public:
    ReplicaFetcher(BrokerHome& home, ReplicaManager& replicas, BrokerId leader)
        : home_(home), replicas_(replicas), leader_(leader) {}

    /// Begins to fetch a partition, or tells that its position or epoch changed.
    void add(PartitionId partition);
    void remove(PartitionId partition);

    /// Sends the next request if none is under way.
    void go_on();

private:
    /// Partition errors and failed calls: replica.fetch.backoff.ms.
    static constexpr Duration backoff = std::chrono::seconds(1);

    [[nodiscard]] FetchRequest make_request();
    void receive(std::uint64_t round, Outcome<FetchAnswer> outcome);
    void go_on_after(Duration delay);

    BrokerHome& home_;
    ReplicaManager& replicas_;
    BrokerId leader_;
    std::vector<PartitionId> partitions_; // sorted
    std::vector<PartitionId> changed_;    // to be named in the next request of this session
    std::uint64_t session_ = 0;
    std::uint64_t round_ = 0; // of what is under way; older answers are dropped
    bool busy_ = false;
};

} // namespace crier::broker::kafka
