#pragma once

#include "broker-model/kafka/log/partition_log.hpp"

#include <deque>
#include <vector>

// One partition at one broker: its log, its part (leader, follower, none), and on the leader what
// it knows of the followers, from which the high watermark follows. Decides; sends and answers
// nothing.

namespace crier::broker::kafka {

class InternalPartitions;

/// What a leader found out of a transactional batch before it takes it.
struct Admission {
    ErrorCode error = ErrorCode::none; ///< Why it must not be appended.
    std::uint32_t guard = 0;           ///< Of its verification; 0: none was needed.
};

/// A batch on its way into a leader's log.
struct Writing {
    PartitionId partition = 0;
    SharedBatch batch;
    ProducerStamp producer = {};
    Admission admission = {};
    Marker marker = Marker::none;
    std::int32_t coordinator_epoch = -1; ///< Of a marker.
    std::uint32_t topic_id = 0;          ///< That the writer knows; 0: do not check.
};

/// A produce that waits in a partition for the high watermark.
struct WaitingProduce {
    Offset required = 0;    ///< End of its batch.
    std::uint32_t slot = 0; ///< In the table of pending produces …
    std::uint32_t generation = 0;
    std::uint32_t index = 0; ///< … and its place in that answer.
};

/// What a leader knows of one follower.
struct Peer {
    static constexpr Instant never{-std::chrono::hours(1000)};

    BrokerId broker = 0;
    Offset end = -1; ///< Its log end as of its last fetch; -1: not heard of in this epoch.
    Instant caught_up = never;  ///< When it last had everything.
    Instant last_fetch = never; ///< When it last fetched this partition …
    Offset last_fetch_end = 0;  ///< … and the leader's log end then.
    Offset log_start = -1;      ///< Where its log begins, as of its last fetch.
    Offset told_watermark = -1;
    Offset told_start = 0;
    bool in_session = false; ///< Its fetch session names the partition.
    bool listed = false;     ///< … and the session has it among those with news.
    bool awaited = false;    ///< It was sent records and has not fetched since.
};

struct Replica {
    enum class Part { none, leader, follower };

    PartitionId id = 0;
    PartitionLog* log = nullptr;
    PartitionState state;
    Part part = Part::none;
    std::int32_t min_insync = 1;         ///< Effective: not above the number of replicas.
    InternalPartitions* owner = nullptr; ///< Of a partition that a coordinator keeps its books in.
    Offset high_watermark = 0;
    Offset epoch_start = 0; ///< Log end when this leadership began.
    std::vector<Peer> peers;
    std::vector<BrokerId> joining; ///< Proposed to the controller as new in the ISR.
    bool is_altering = false;      ///< A proposal is under way.
    std::deque<WaitingProduce> produces;
    std::vector<std::uint32_t> fetches; ///< Parked consumer fetches, by slot.

    [[nodiscard]] bool leads() const { return part == Part::leader; }
    [[nodiscard]] bool is_under_min_insync() const {
        return state.isr.size() < static_cast<std::size_t>(min_insync);
    }
    [[nodiscard]] bool is_in_isr(BrokerId broker) const;
    [[nodiscard]] Peer* find_peer(BrokerId broker);

    /// Becomes leader of the epoch in `state`.
    void lead(BrokerId self, Instant now);

    /// Appends a batch at that timestamp. **Returns** its base offset.
    Offset append(const Writing& writing, std::int64_t now);

    /// Returns up to where a reader may read.
    [[nodiscard]] Offset readable_end(crier::kafka::Isolation isolation) const {
        return isolation == crier::kafka::Isolation::read_committed
                   ? log->last_stable_offset(high_watermark)
                   : high_watermark;
    }

    /// Before an append: a follower that had everything had it at its session's last fetch.
    void note_caught_up(Peer& peer, Instant session_fetch);

    /// A follower fetches from `offset`: it has everything before.
    void note_fetch(Peer& peer, Offset offset, Instant now);

    /// Returns the high watermark that followers allow now.
    /// **Source**: Kafka Partition.maybeIncrementLeaderHW, with the rule of KIP-966 that it stands
    /// while the ISR is below min.insync.replicas.
    [[nodiscard]] Offset allowed_watermark(Instant now, Duration lag_max,
                                           const std::vector<BrokerId>& live) const;

    /// Whether a follower outside the ISR has caught up. **Source**: Kafka
    /// Partition.isFollowerInSync.
    [[nodiscard]] bool may_join(const Peer& peer, const std::vector<BrokerId>& live) const;

    /// Whether a follower in the ISR is too far behind. **Source**: Kafka Replica.isCaughtUp.
    [[nodiscard]] bool lags(const Peer& peer, Instant now, Duration lag_max) const;
};

} // namespace crier::broker::kafka
