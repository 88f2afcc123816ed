#pragma once

#include "broker-model/kafka/log/log_options.hpp"
#include "broker-model/kafka/log/producer_states.hpp"

#include <deque>

// How a log is cut into segments: when the next one begins, and which of the oldest have served
// their time. Knows sizes and times, no records. Times are wall nanoseconds, -1: unknown.
// Source: Kafka LogSegment, UnifiedLog.deleteOldSegments.

namespace crier::broker::kafka {

/// A run of batches that is deleted as one.
struct LogSegment {
    Offset base = 0;
    std::int64_t bytes = 0;
    std::int64_t first_timestamp = -1; ///< Of its first batch.
    std::int64_t largest_timestamp = -1;
    ProducerStates producers; ///< As they were where it begins.
};

class LogSegments {
public:
    LogSegments() { segments_.emplace_back(); }

    [[nodiscard]] const LogSegment& oldest() const { return segments_.front(); }
    /// The one that is written to.
    [[nodiscard]] const LogSegment& active() const { return segments_.back(); }
    [[nodiscard]] std::size_t count() const { return segments_.size(); }

    /// Whether a batch of that size and time belongs into a new segment.
    /// **Source**: Kafka LogSegment.shouldRoll: segment.ms counts from the first batch's time to
    /// the next one's, so that a log nobody writes to never rolls.
    [[nodiscard]] bool must_roll(std::int64_t bytes, std::int64_t timestamp,
                                 const LogOptions& options) const;

    /// Begins a new segment at `base`.
    void roll(Offset base, const ProducerStates& producers);

    /// The active segment gets a batch.
    void note(std::int64_t bytes, std::int64_t timestamp);

    /// Forgets the segments that begin at `end` or later; the active one loses its content, which
    /// is to be noted again. **Returns** the producers where it begins.
    [[nodiscard]] const ProducerStates& truncate(Offset end);

    /// Begins anew, empty, at `base`.
    void restart(Offset base);

    /// Removes the segments that end by `start`.
    void raise_start(Offset start);

    struct Dirt {
        bool must_clean = false;
        Offset end = 0; ///< Of the segments that may be cleaned.
    };
    /// Judges what lies between `from` and `limit`: whole segments, not the active one, and none
    /// too young for min.compaction.lag.ms.
    [[nodiscard]] Dirt dirt(Offset from, Offset limit, std::int64_t now,
                            const LogOptions& options) const;

    /// Takes the sizes anew from what a cleaner left.
    void weigh(const std::deque<StoredBatch>& batches);

    /// Returns where the log begins once the segments that are too many or too old at `now` are
    /// gone; `end` is the log's, `limit` the high watermark.
    [[nodiscard]] Offset retained_from(const LogOptions& options, std::int64_t now, Offset end,
                                       Offset limit) const;

private:
    std::deque<LogSegment> segments_; // never empty
};

} // namespace crier::broker::kafka
