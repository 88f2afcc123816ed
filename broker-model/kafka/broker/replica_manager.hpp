#pragma once

#include "broker-model/kafka/broker/alarm.hpp"
#include "broker-model/kafka/broker/broker_home.hpp"
#include "broker-model/kafka/broker/client_quota.hpp"
#include "broker-model/kafka/broker/replica.hpp"
#include "broker-model/kafka/broker/replica_fetcher.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

// All replicas of one broker: produce, fetch and replication, and the requests that wait for them.
// What waits costs no timer of its own and is looked at only when its partition moves. Its requests
// end in `settle`, which answers everything that the step made ready, so that one step answers each
// follower and consumer at most once. Source: Kafka ReplicaManager, Partition.

namespace crier::broker::kafka {

using crier::kafka::Acks;

/// Told of what happens to partitions that a coordinator keeps its books in.
class InternalPartitions {
public:
    virtual ~InternalPartitions() = default;
    virtual void leads(const Replica& replica) = 0;
    virtual void resigned(const Replica& replica) = 0;
    virtual void watermark_moved(const Replica& replica) = 0;
    /// These partitions of other topics are deleted.
    virtual void deleted(const std::vector<PartitionId>& /*partitions*/) {}
};

/// Who is told of which internal topic.
struct InternalTopics {
    InternalPartitions& groups;       ///< __consumer_offsets
    InternalPartitions& transactions; ///< __transaction_state
};

class ReplicaManager {
public:
    ReplicaManager(BrokerHome& home, InternalTopics internal);

    /// Takes over the controller's view when it is newer.
    void apply(std::shared_ptr<const ClusterMetadata> metadata);
    [[nodiscard]] const std::shared_ptr<const ClusterMetadata>& metadata() const {
        return metadata_;
    }
    /// Returns what was known before the last news.
    [[nodiscard]] const std::shared_ptr<const ClusterMetadata>& former_metadata() const {
        return former_metadata_;
    }

    /// `admissions`: one for each partition of a transactional request; else none.
    void produce(ProduceRequest request, const std::vector<Admission>& admissions,
                 sim::Reply<ProduceAnswer> reply);
    void fetch(FetchRequest request, sim::Reply<FetchAnswer> reply);
    [[nodiscard]] ListOffsetsAnswer list_offsets(const ListOffsetsRequest& request);

    [[nodiscard]] OffsetsForLeaderEpochAnswer
    offsets_for_leader_epoch(const OffsetsForLeaderEpochRequest& request);

    /// Raises where the log begins; answers when every live replica's does.
    void delete_records(const DeleteRecordsRequest& request, sim::Reply<DeleteRecordsAnswer> reply);

    /// Appends with acks=all and calls `done` once, maybe before this returns.
    void append(const Writing& writing, Duration timeout, std::function<void(ErrorCode)> done);

    /// Everything goes to the platter, and it is noted that this life ended in order.
    void shut_down();
    /// Returns the broker epoch of the life before, if it ended in order, and forgets it; else 0.
    [[nodiscard]] std::uint64_t take_clean_epoch();
    void note_clean_epoch(std::uint64_t epoch);

    /// Returns the replica, or null when this broker has none.
    [[nodiscard]] Replica* find(PartitionId partition);

    /// What became of a partition that a follower fetched.
    enum class Received { nothing, changed, failed };
    [[nodiscard]] FetchPartition next_fetch(PartitionId partition);
    [[nodiscard]] Received receive(BrokerId leader, FetchPartitionAnswer& answer);

private:
    struct PendingProduce {
        sim::Reply<ProduceAnswer> reply;
        std::function<void(ErrorCode)> done; // instead of a reply
        ProduceAnswer answer;
        std::size_t left = 0; // partitions that wait
        Instant deadline{};
        std::uint32_t generation = 0;
        bool live = false;
    };
    struct ParkedFetch {
        FetchRequest request;
        sim::Reply<FetchAnswer> reply;
        Instant deadline{};
        bool live = false;
        bool woken = false;
    };
    struct PendingDelete {
        PartitionId partition = 0;
        Offset offset = 0;
        sim::Reply<DeleteRecordsAnswer> reply;
        Instant deadline{};
    };
    /// A follower's fetch session at its leader.
    struct FollowerSession {
        std::uint64_t number = 0;
        std::uint64_t broker_epoch = 0;
        sim::Reply<FetchAnswer> parked;
        Instant deadline{};
        Instant last_fetch = Peer::never;
        std::size_t max_bytes = 0;
        std::vector<PartitionId> listed; // those with news
        bool is_ready = false;           // some of it is worth an answer now
        std::vector<FetchPartitionAnswer> verdicts;
    };

    void open(const PartitionState& state);
    void close(PartitionId partition);
    [[nodiscard]] ErrorCode check_topic(PartitionId partition, std::uint32_t topic_id) const;
    void apply(Replica& replica, const PartitionState& state);
    void begin_leading(Replica& replica);
    void resign(Replica& replica);
    void settle();
    void advance(Replica& replica);
    void pass_deadlines();

    [[nodiscard]] std::uint32_t open_produce(Duration timeout);
    [[nodiscard]] Duration throttle(const ProduceRequest& request);
    void close_produce(std::uint32_t slot);
    void append_to(std::uint32_t slot, const Writing& writing, Acks acks);
    [[nodiscard]] ErrorCode try_append(const Writing& writing, Acks acks,
                                       ProducePartitionAnswer& answer);
    [[nodiscard]] ProducerStates::Verdict judge(const Replica& replica,
                                                const Writing& writing) const;
    void note_written(Replica& replica);
    void end_waiting(Replica& replica, ErrorCode error);
    void settle_waiting(const WaitingProduce& waiting, ErrorCode error);

    void fetch_for_follower(FetchRequest& request, sim::Reply<FetchAnswer> reply);
    [[nodiscard]] FetchPartitionAnswer follow(BrokerId follower, const FetchPartition& asked);
    [[nodiscard]] Received begin_within(Replica& replica, const FetchPartitionAnswer& answer);
    void list(Replica& replica, Peer& peer, bool is_ready);
    void answer_session(BrokerId follower, FollowerSession& session);
    [[nodiscard]] bool answer_consumer(FetchRequest& request, sim::Reply<FetchAnswer>& reply,
                                       bool is_due);
    void park(FetchRequest request, sim::Reply<FetchAnswer> reply);
    void unpark(std::uint32_t slot);

    void invite(Replica& replica);
    void propose_isr(Replica& replica, std::vector<BrokerId> isr);
    void send_proposal(PartitionId partition, AlterPartitionRequest request);
    void shrink_isrs();
    void delete_old_segments();
    void clean_logs();
    void forget_producers();
    void note_start(Replica& replica, Offset before, std::string_view why);
    [[nodiscard]] Offset low_watermark(const Replica& replica) const;
    void answer_deletes();

    BrokerHome& home_;
    InternalTopics internal_;
    std::shared_ptr<const ClusterMetadata> metadata_;
    std::shared_ptr<const ClusterMetadata> former_metadata_ = metadata_;
    std::vector<std::unique_ptr<Replica>> replicas_; // by partition
    std::deque<ReplicaFetcher> fetchers_;            // by broker - 1
    std::vector<FollowerSession> sessions_;          // by broker - 1
    std::uint64_t session_count_ = 0;
    std::vector<PartitionId> refused_; // proposals, to be made again when a follower fetches
    std::vector<PendingProduce> produces_;
    std::vector<std::uint32_t> free_produces_;
    std::vector<std::uint32_t> done_produces_;
    std::vector<ParkedFetch> fetches_;
    std::vector<std::uint32_t> free_fetches_;
    std::vector<std::uint32_t> woken_fetches_;
    std::vector<PendingDelete> deletes_;
    ClientQuota produce_quota_;
    ClientQuota fetch_quota_;
    Alarm<ReplicaManager, &ReplicaManager::pass_deadlines> alarm_;
    bool settling_ = false;
    bool is_cleaning_ = false; // some topic here is compacted
};

} // namespace crier::broker::kafka
