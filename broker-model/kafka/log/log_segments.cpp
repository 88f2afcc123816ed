#include "broker-model/kafka/log/log_segments.hpp"

#include <algorithm>

namespace crier::broker::kafka {

bool LogSegments::must_roll(std::int64_t bytes, std::int64_t timestamp,
                            const LogOptions& options) const {
    const LogSegment& segment = active();
    if (segment.bytes == 0) return false;
    const bool is_known = timestamp >= 0 && segment.first_timestamp >= 0;
    // Source: Kafka LogConfig.maxSegmentMs.
    const Duration longest = options.compacts
                                 ? std::min(options.segment_time, options.max_compaction_lag)
                                 : options.segment_time;
    const bool is_old = is_known && timestamp - segment.first_timestamp > longest.count();
    return is_old || segment.bytes + bytes > options.segment_bytes;
}

void LogSegments::roll(Offset base, const ProducerStates& producers) {
    LogSegment& segment = segments_.emplace_back();
    segment.base = base;
    segment.producers = producers;
}

void LogSegments::note(std::int64_t bytes, std::int64_t timestamp) {
    LogSegment& segment = segments_.back();
    if (segment.bytes == 0) segment.first_timestamp = timestamp;
    segment.bytes += bytes;
    segment.largest_timestamp = std::max(segment.largest_timestamp, timestamp);
}

const ProducerStates& LogSegments::truncate(Offset end) {
    while (segments_.size() > 1 && segments_.back().base >= end)
        segments_.pop_back();
    LogSegment& segment = segments_.back();
    segment.bytes = 0;
    segment.first_timestamp = segment.largest_timestamp = -1;
    return segment.producers;
}

void LogSegments::restart(Offset base) {
    segments_.clear();
    segments_.emplace_back().base = base;
}

void LogSegments::raise_start(Offset start) {
    while (segments_.size() > 1 && segments_[1].base <= start)
        segments_.pop_front();
}

LogSegments::Dirt LogSegments::dirt(Offset from, Offset limit, std::int64_t now,
                                    const LogOptions& options) const {
    Dirt dirt;
    std::int64_t clean_bytes = 0;
    std::int64_t dirty_bytes = 0;
    bool waited_too_long = false;
    for (std::size_t at = 0; at + 1 < segments_.size(); ++at) {
        const LogSegment& segment = segments_[at];
        const Offset end = segments_[at + 1].base;
        const bool is_dirty = end > from;
        const Duration lag = options.min_compaction_lag;
        const bool is_young = lag > Duration{} && now - segment.largest_timestamp < lag.count();
        if (end > limit || (is_dirty && is_young)) break;
        dirt.end = end;
        (is_dirty ? dirty_bytes : clean_bytes) += segment.bytes;
        waited_too_long =
            waited_too_long || (is_dirty && segment.first_timestamp >= 0 &&
                                now - segment.first_timestamp > options.max_compaction_lag.count());
    }
    const auto least = static_cast<std::int64_t>(options.min_cleanable_ratio.per_million);
    const std::int64_t all_bytes = clean_bytes + dirty_bytes;
    const bool is_dirty_enough = dirty_bytes > 0 && dirty_bytes * 1'000'000 > least * all_bytes;
    dirt.must_clean = dirt.end > from && (is_dirty_enough || waited_too_long);
    return dirt;
}

void LogSegments::weigh(const std::deque<StoredBatch>& batches) {
    for (LogSegment& segment : segments_)
        segment.bytes = 0;
    std::size_t at = 0;
    for (const StoredBatch& stored : batches) {
        while (at + 1 < segments_.size() && segments_[at + 1].base <= stored.base_offset)
            ++at;
        segments_[at].bytes += static_cast<std::int64_t>(stored.batch->bytes);
    }
}

Offset LogSegments::retained_from(const LogOptions& options, std::int64_t now, Offset end,
                                  Offset limit) const {
    Offset from = oldest().base;
    if (!options.deletes) return from;
    std::int64_t excess = 0;
    if (options.retention_bytes >= 0) {
        excess = -options.retention_bytes;
        for (const LogSegment& segment : segments_)
            excess += segment.bytes;
    }
    const Duration time = options.retention_time;
    for (std::size_t at = 0; at < segments_.size(); ++at) {
        const LogSegment& segment = segments_[at];
        const Offset next = at + 1 < segments_.size() ? segments_[at + 1].base : end;
        const bool is_expired = time >= Duration{} && segment.largest_timestamp >= 0 &&
                                now - segment.largest_timestamp > time.count();
        const bool is_excess = options.retention_bytes >= 0 && excess >= segment.bytes;
        if (next > limit || next == segment.base || !(is_expired || is_excess)) break;
        excess -= segment.bytes;
        from = next;
    }
    return from;
}

} // namespace crier::broker::kafka
