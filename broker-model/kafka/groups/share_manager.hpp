#pragma once

#include "broker-model/kafka/broker/broker_home.hpp"
#include "broker-model/kafka/broker/replica_manager.hpp"
#include "broker-model/kafka/groups/share_partition.hpp"
#include "sim/process_ports.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>

// The share groups' view of the partitions that a broker leads: sessions of members, what they
// acquire and acknowledge. Every change that must not be forgotten is with the group's coordinator
// before it is answered; a new leader begins with what is there. Source: Kafka
// SharePartitionManager, SharePartition, DefaultStatePersister.

namespace crier::broker::kafka {

class ShareManager {
public:
    ShareManager(BrokerHome& home, ReplicaManager& replicas);

    void fetch(ShareFetchRequest request, sim::Reply<ShareFetchAnswer> reply);
    void acknowledge(ShareFetchRequest request, sim::Reply<ShareFetchAnswer> reply);

private:
    /// A partition of a group in one term of this leader.
    struct Held {
        Held(const ShareLimits& limits, const ShareState& kept, std::int32_t epoch)
            : records(limits, kept), leader_epoch(epoch) {}
        SharePartition records;
        std::int32_t leader_epoch;
        std::uint32_t topic_id = 0;
        Instant watched = Instant::max(); // the lock end that a timer waits for
    };
    using Name = std::pair<std::string, PartitionId>;
    using Shared = std::shared_ptr<Held>;

    asio::awaitable<void> serve(ShareFetchRequest request, sim::Reply<ShareFetchAnswer> reply,
                                bool fetches);
    [[nodiscard]] ErrorCode check_session(const ShareFetchRequest& request);
    void end_session(const ShareFetchRequest& request);
    [[nodiscard]] asio::awaitable<ErrorCode> open(std::string group, PartitionId partition);
    [[nodiscard]] asio::awaitable<ErrorCode> settle(std::string group, std::string member,
                                                    PartitionId partition,
                                                    std::vector<AcknowledgementBatch> batches);
    [[nodiscard]] asio::awaitable<ErrorCode> keep(std::string group, PartitionId partition);
    void keep_later(const std::string& group, PartitionId partition);
    [[nodiscard]] std::size_t acquire(const ShareFetchRequest& request, std::size_t limit,
                                      ShareFetchPartitionAnswer& answer);
    [[nodiscard]] asio::awaitable<void>
    wait_for_records(std::string group, std::vector<PartitionId> partitions, Instant deadline);
    void watch(const std::string& group, PartitionId partition);
    [[nodiscard]] Shared find(const std::string& group, PartitionId partition) const;
    [[nodiscard]] bool still_leads(PartitionId partition, const Held& held) const;

    template <class Answer, class Request>
    [[nodiscard]] asio::awaitable<Outcome<Answer>> ask(BrokerId broker, const sim::CallKind& kind,
                                                       Request request);

    BrokerHome& home_;
    ReplicaManager& replicas_;
    sim::ProcessPorts ports_;
    std::map<Name, Shared> held_;
    std::map<std::pair<std::string, std::string>, std::int32_t> sessions_; // next epoch, by member
};

} // namespace crier::broker::kafka
