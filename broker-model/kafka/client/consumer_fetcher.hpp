#pragma once

#include "broker-model/kafka/client/client_context.hpp"
#include "broker-model/kafka/client/metadata_cache.hpp"
#include "broker-model/wait_point.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

// The partitions that a consumer holds: positions, long polls to their leaders, and what came back
// and was not handed out. A position moves when records are handed out or on request, never by a
// fetch; an answer for a position that moved meanwhile is dropped. It knows nothing of groups.
// Source: Kafka Fetcher, SubscriptionState.

namespace crier::broker::kafka {

/// Where a consumer that polls waits. Shared with callbacks that may outlive the consumer.
struct ConsumerWake {
    explicit ConsumerWake(sim::Process& process) : point(process) {}
    WaitPoint point;
};

class ConsumerFetcher : public std::enable_shared_from_this<ConsumerFetcher> {
public:
    ConsumerFetcher(const ClientContext& context, const crier::kafka::ConsumerOptions& options,
                    std::shared_ptr<ConsumerWake> wake);
    ~ConsumerFetcher() { metadata_->close(); }

    /// Ends all activity.
    void close();

    /// Replaces the partitions held. What was held before stays as it is; of the others the
    /// positions are unknown, and nothing is paused.
    void assign(const std::vector<PartitionId>& partitions);

    /// Fetches and hands out no more of these, until they are given up.
    void stop(const std::vector<PartitionId>& partitions);

    /// Gives up all that is held.
    void drop_all() { assign({}); }

    [[nodiscard]] bool holds_any() const { return !held_.empty(); }
    [[nodiscard]] std::vector<PartitionId> held() const; ///< Sorted.

    /// **Errors** of these two: throw `std::logic_error` when the partition is not held.
    void set_paused(PartitionId partition, bool paused);
    void seek(PartitionId partition, Offset offset);

    /// Returns the partitions whose position is unknown and not being looked up.
    [[nodiscard]] std::vector<PartitionId> without_position() const;

    /// Sets the position to what was committed, or starts a reset if that is nothing (-1). No
    /// effect if the partition is not held or has a position meanwhile.
    void note_committed(const PartitionOffset& committed);

    /// Returns the position, -1 when it is unknown. **Errors**: as `seek`.
    [[nodiscard]] Offset position(PartitionId partition) const { return need(partition).position; }

    [[nodiscard]] const std::shared_ptr<MetadataCache>& metadata() const { return metadata_; }

    /// Returns the leader epoch of the record before `offset` if that is the position, else -1.
    /// **Source**: Kafka's commit of positions carries it, KIP-320.
    [[nodiscard]] std::int32_t epoch_before(PartitionId partition, Offset offset) const {
        const Held* const held = find(partition);
        return held != nullptr && held->position == offset ? held->offset_epoch : -1;
    }

    /// Returns the known positions.
    [[nodiscard]] std::vector<PartitionOffset> positions() const;

    /// Counts changes of positions.
    [[nodiscard]] std::uint64_t moves() const { return moves_; }

    /// Whether a partition has no position and there is no policy to find one.
    [[nodiscard]] bool lacks_offset() const { return lacks_offset_; }

    /// Asks leaders for records and for offsets, as far as there is something to ask.
    void send();

    /// Returns when something failed may be asked again.
    [[nodiscard]] Instant retry_at() const;

    /// Hands out up to `limit` records in the order in which they arrived, partition by partition.
    [[nodiscard]] std::vector<crier::kafka::ConsumerRecord> take(std::size_t limit);

private:
    /// What stands between a partition and its next fetch: a position to be found by the reset
    /// policy, or to be compared with a new leader's log.
    enum class Seeking : std::uint8_t { nothing, reset, asked, validate, validating };

    struct Held {
        PartitionId partition = 0;
        Offset position = -1;
        std::int32_t offset_epoch = -1; // of the record before the position; -1: unknown
        std::int32_t leader_epoch = -1; // for which the position is good
        Seeking seeking = Seeking::nothing;
        bool is_paused = false;
        std::uint64_t version = 0;        // an answer asked for by an older one is dropped
        Instant retry_at{};               // of the reset
        std::vector<StoredBatch> batches; // not handed out yet
        std::size_t batch = 0;            // the first of them that has something left …
        std::size_t record = 0;           // … and where
        Offset fetched_end = 0; // after the last of them, with what is hidden behind it …
        std::int32_t fetched_epoch = -1; // … and the epoch in which that was written
    };
    struct Leader {
        bool is_fetching = false;
        Instant retry_at{};
        int failures = 0;
        std::vector<FetchPartition> asking; // of the fetch under way
    };

    [[nodiscard]] const Held* find(PartitionId partition) const;
    [[nodiscard]] Held* find(PartitionId partition);
    [[nodiscard]] Held& need(PartitionId partition);
    [[nodiscard]] const Held& need(PartitionId partition) const;
    void move(Held& held, Offset position);
    void advance(Held& held, Offset position, std::int32_t offset_epoch);
    void drop_buffer(Held& held);
    void begin_reset(Held& held);
    void ask_offset(Held& held);
    [[nodiscard]] std::int64_t reset_timestamp() const;
    void on_offset(PartitionId partition, std::uint64_t version,
                   const Outcome<ListOffsetsAnswer>& outcome);
    void note_leader_epoch(Held& held);
    void ask_epoch_end(Held& held);
    void on_epoch_end(PartitionId partition, std::uint64_t version,
                      const Outcome<OffsetsForLeaderEpochAnswer>& outcome);
    void fetch(BrokerId broker);
    void on_fetch(BrokerId broker, Outcome<FetchAnswer> outcome);
    void on_partition(Leader& leader, FetchPartitionAnswer& answer);
    void back_off(Leader& leader, BrokerId broker);
    static void skip_to(Held& held, Offset offset);
    static void drop_hidden(std::vector<StoredBatch>& batches,
                            std::vector<AbortedTransaction> aborted);
    void buffer(Held& held, std::vector<StoredBatch> batches, Offset end);
    void hand_out(Held& held, std::size_t limit,
                  std::vector<crier::kafka::ConsumerRecord>& records);

    ClientContext context_;
    crier::kafka::ConsumerOptions options_;
    std::uint64_t group_text_;
    std::uint64_t client_; // to quotas
    std::shared_ptr<ConsumerWake> wake_;
    std::shared_ptr<MetadataCache> metadata_;
    std::vector<Held> held_;          // by partition
    std::vector<Leader> leaders_;     // by BrokerId
    std::deque<PartitionId> arrived_; // partitions with something buffered, in the order of arrival
    std::uint64_t versions_ = 0;
    std::uint64_t moves_ = 0;
    bool lacks_offset_ = false;
    bool closed_ = false;
};

} // namespace crier::broker::kafka
