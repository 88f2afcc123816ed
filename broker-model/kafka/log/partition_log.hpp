#pragma once

#include "broker-model/kafka/log/log_cleaner.hpp"
#include "broker-model/kafka/log/log_segments.hpp"
#include "sim/disk.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

// One replica's log of one partition, as it lies on the broker's disk: batches in offset order, and
// where each leader epoch began. It survives a crash as it is; a power loss takes a suffix of what
// was not flushed. Knows nothing of leaders and followers.

namespace crier::broker::kafka {

/// Where a leader's records begin.
struct EpochStart {
    std::int32_t epoch = 0;
    Offset start = 0;

    friend bool operator==(const EpochStart&, const EpochStart&) = default;
};

/// Where a log leaves an epoch. Epoch -1: the log knows none so old.
struct EpochEnd {
    std::int32_t epoch = -1;
    Offset end = -1;

    friend bool operator==(const EpochEnd&, const EpochEnd&) = default;
};

/// Returns the largest epoch in `epochs` not above `epoch`, and its end in a log that ends at
/// `end`.
/// **Source**: Kafka LeaderEpochFileCache.endOffsetFor.
[[nodiscard]] EpochEnd end_of_epoch(const std::vector<EpochStart>& epochs, Offset end,
                                    std::int32_t epoch);

class PartitionLog {
public:
    explicit PartitionLog(const LogOptions& options = {}) : options_(options) {}

    /// Log start offset: the first that can be read.
    [[nodiscard]] Offset start() const { return start_; }
    /// Log end offset: the next to be written.
    [[nodiscard]] Offset end() const { return end_; }
    [[nodiscard]] Offset flushed_end() const { return flushed_end_; }
    [[nodiscard]] const std::deque<StoredBatch>& batches() const { return batches_; }
    [[nodiscard]] const std::vector<EpochStart>& epochs() const { return epochs_; }
    [[nodiscard]] const ProducerStates& producers() const { return producers_; }
    [[nodiscard]] const LogOptions& options() const { return options_; }
    [[nodiscard]] const LogSegments& segments() const { return segments_; }
    [[nodiscard]] ProducerStates& producers() { return producers_; }

    /// Returns the last stable offset: no transaction below it is open, or was ended by a marker
    /// that is not below `high_watermark`. **Source**: Kafka
    /// UnifiedLog.fetchLastStableOffsetMetadata.
    [[nodiscard]] Offset last_stable_offset(Offset high_watermark) const;

    /// Returns the aborted transactions with records in [from, end).
    /// **Source**: Kafka TransactionIndex.collectAbortedTxns.
    [[nodiscard]] std::vector<AbortedTransaction> aborted(Offset from, Offset end) const;

    /// Returns the epoch of the last batch, -1 when there is none.
    [[nodiscard]] std::int32_t last_epoch() const {
        return batches_.empty() ? -1 : batches_.back().leader_epoch;
    }

    /// Adds a batch, in a new segment where one is due; then what lies before is flushed.
    /// **Requires** that it begins at or after the end (compaction leaves gaps).
    void append(const StoredBatch& batch);

    /// A leader of this epoch begins to write here.
    void begin_epoch(std::int32_t epoch);

    void forget_producers_before(std::int64_t oldest) { producers_.forget_before(oldest); }

    [[nodiscard]] EpochEnd end_of(std::int32_t epoch) const {
        return end_of_epoch(epochs_, end_, epoch);
    }

    /// Drops every batch that reaches beyond `to`.
    void truncate(Offset to);

    /// Drops everything; the next record is at `offset`. **Source**: UnifiedLog
    /// .truncateFullyAndStartAt.
    void restart(Offset offset);

    /// What lies before `offset` is not to be read any more; whole segments go. **Requires** an
    /// offset by the end. **Source**: UnifiedLog.maybeIncrementLogStartOffset.
    void raise_start(Offset offset);

    /// Deletes the oldest segments as far as retention by size and time demands at wall time `now`
    /// and the high watermark allows. **Source**: UnifiedLog.deleteOldSegments.
    void delete_old(std::int64_t now, Offset high_watermark);

    /// Returns the first record below `limit` that is as late as `timestamp`, or offset -1.
    /// **Source**: Kafka UnifiedLog.fetchOffsetByTimestamp.
    struct TimeAndOffset {
        std::int64_t timestamp = -1;
        Offset offset = -1;
    };
    [[nodiscard]] TimeAndOffset find_time(std::int64_t timestamp, Offset limit) const;

    /// Returns the index of the first batch that ends after `offset`.
    [[nodiscard]] std::size_t find(Offset offset) const;

    /// Appends to `to` whole batches from `from` on that end by `limit`, no more than `max_bytes`
    /// allow; with `at_least_one` the first comes however large it is. **Returns** their bytes.
    std::size_t read(Offset from, Offset limit, std::size_t max_bytes, bool at_least_one,
                     std::vector<StoredBatch>& to) const;

    /// Brings everything to the platter.
    void flush() { flushed_end_ = end_; }

    /// A power loss: a drawn number of batches after the last flush is gone. **Returns** how many.
    std::uint64_t lose_unflushed(std::optional<sim::Draw> draw);

    /// Notes that the high watermark is now `offset`; every five seconds one is kept on disk.
    /// **Source**: replica.high.watermark.checkpoint.interval.ms.
    void note_high_watermark(Offset offset, Instant now);

    /// The broker ends in order: nothing is to be lost, and the watermark is kept.
    void close(Offset high_watermark) {
        flush();
        kept_watermark_ = high_watermark;
    }

    /// Returns the last high watermark that was kept.
    [[nodiscard]] Offset kept_high_watermark() const {
        return std::clamp(kept_watermark_, start_, end_);
    }

    /// Compacts whole segments below `limit` if enough of them is dirty or has waited too long.
    /// **Returns** how many records are gone; `removed` gets which. **Source**: Kafka
    /// LogCleanerManager .grabFilthiestCompactedLog, cleanableOffsets.
    std::uint64_t compact(Offset limit, std::int64_t now,
                          std::vector<RemovedRecord>* removed = nullptr);

    /// Compacts what lies below `limit`, once there are many batches: for internal topics, whose
    /// size nobody sees.
    void compact_internal(Offset limit, std::int64_t now);

private:
    void roll();
    std::uint64_t clean_up_to(Offset limit, std::int64_t now,
                              std::vector<RemovedRecord>* removed = nullptr);
    void note(const StoredBatch& batch);

    LogOptions options_;
    std::deque<StoredBatch> batches_;
    LogSegments segments_;
    std::vector<EpochStart> epochs_;
    ProducerStates producers_;
    std::vector<EndedTransaction> aborted_;  // by marker
    std::vector<EndedTransaction> unstable_; // ended by markers that were not below the watermark
    Offset start_ = 0;
    Offset end_ = 0;
    Offset flushed_end_ = 0;
    Offset kept_watermark_ = 0;
    Instant watermark_kept_at_{};
    Offset cleaned_end_ = 0;       // what lies before was cleaned
    std::size_t compact_at_ = 256; // batches
};

/// All logs of one broker, on its disk.
class BrokerLogs final : public sim::DurableState {
public:
    /// Returns the log of the partition, made empty if it was not there, or only that of a topic of
    /// the same name that is deleted. **Source**: Kafka's partition.metadata file; KIP-516.
    [[nodiscard]] PartitionLog& open(PartitionId partition, std::uint32_t topic_id,
                                     const LogOptions& options);
    void drop(PartitionId partition) { logs_[partition].log.reset(); }

    std::uint64_t lose_unsynced(std::optional<sim::Draw> draw) override;

    std::uint64_t clean_epoch = 0; ///< Of the broker, if its last life ended in order.

private:
    struct Kept {
        std::uint32_t topic_id = 0;
        std::unique_ptr<PartitionLog> log;
    };
    std::vector<Kept> logs_; // by partition
};

} // namespace crier::broker::kafka
