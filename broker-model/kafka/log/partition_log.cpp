#include "broker-model/kafka/log/partition_log.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <string_view>

namespace crier::broker::kafka {

EpochEnd end_of_epoch(const std::vector<EpochStart>& epochs, Offset end, std::int32_t epoch) {
    for (std::size_t at = epochs.size(); at-- > 0;) {
        if (epochs[at].epoch > epoch) continue;
        return {epochs[at].epoch, at + 1 < epochs.size() ? epochs[at + 1].start : end};
    }
    return {};
}

void PartitionLog::append(const StoredBatch& batch) {
    ensure(batch.base_offset >= end_, "a log grows at its end");
    if (epochs_.empty() || epochs_.back().epoch < batch.leader_epoch) {
        epochs_.push_back({batch.leader_epoch, batch.base_offset});
    }
    const auto bytes = static_cast<std::int64_t>(batch.batch->bytes);
    if (segments_.must_roll(bytes, batch.max_timestamp(), options_)) roll();
    segments_.note(bytes, batch.max_timestamp());
    batches_.push_back(batch);
    note(batch);
    end_ = batch.end_offset();
}

// Source: Kafka UnifiedLog.roll flushes what lies before the new segment.
void PartitionLog::roll() {
    segments_.roll(end_, producers_);
    flushed_end_ = end_;
}

void PartitionLog::note(const StoredBatch& batch) {
    const std::optional<EndedTransaction> ended = producers_.note(batch);
    if (!ended) return;
    unstable_.push_back(*ended);
    if (batch.marker == Marker::abort) aborted_.push_back(*ended);
}

Offset PartitionLog::last_stable_offset(Offset high_watermark) const {
    const Offset open = producers_.first_open();
    Offset stable = open < 0 ? high_watermark : std::min(open, high_watermark);
    for (const EndedTransaction& ended : unstable_) {
        if (ended.marker >= high_watermark) stable = std::min(stable, ended.first);
    }
    return std::max(stable, start_);
}

std::vector<AbortedTransaction> PartitionLog::aborted(Offset from, Offset end) const {
    std::vector<AbortedTransaction> found;
    const auto first =
        std::partition_point(aborted_.begin(), aborted_.end(),
                             [from](const EndedTransaction& ended) { return ended.marker < from; });
    for (auto it = first; it != aborted_.end(); ++it) {
        if (it->first < end) found.push_back({it->producer, it->first});
    }
    return found;
}

void PartitionLog::begin_epoch(std::int32_t epoch) {
    if (!epochs_.empty() && epochs_.back().epoch >= epoch) return;
    if (!epochs_.empty() && epochs_.back().start == end_) epochs_.pop_back(); // it wrote nothing
    epochs_.push_back({epoch, end_});
}

void PartitionLog::truncate(Offset to) {
    if (to >= end_) return;
    while (!batches_.empty() && batches_.back().end_offset() > to)
        batches_.pop_back();
    end_ = batches_.empty() ? start_ : batches_.back().end_offset();
    while (!epochs_.empty() && epochs_.back().start >= end_)
        epochs_.pop_back();
    flushed_end_ = std::min(flushed_end_, end_);
    cleaned_end_ = std::min(cleaned_end_, end_);
    producers_ = segments_.truncate(end_);
    const Offset base = segments_.active().base;
    const auto is_noted_anew = [base](const EndedTransaction& it) { return it.marker >= base; };
    std::erase_if(aborted_, is_noted_anew);
    std::erase_if(unstable_, is_noted_anew);
    for (std::size_t at = find(base); at < batches_.size(); ++at) {
        const StoredBatch& batch = batches_[at];
        segments_.note(static_cast<std::int64_t>(batch.batch->bytes), batch.max_timestamp());
        note(batch);
    }
}

void PartitionLog::restart(Offset offset) {
    batches_.clear();
    epochs_.clear();
    producers_.clear();
    aborted_.clear();
    unstable_.clear();
    segments_.restart(offset);
    start_ = end_ = flushed_end_ = cleaned_end_ = offset;
}

void PartitionLog::raise_start(Offset offset) {
    if (offset <= start_) return;
    ensure(offset <= end_, "a log begins by its end");
    start_ = offset;
    segments_.raise_start(offset);
    while (!batches_.empty() && batches_.front().base_offset < segments_.oldest().base)
        batches_.pop_front();
    std::erase_if(aborted_, [this](const EndedTransaction& it) { return it.marker < start_; });
    // The epoch in which the log begins now begins there. Source: LeaderEpochFileCache
    // .truncateFromStart.
    const auto later = std::find_if(epochs_.begin(), epochs_.end(),
                                    [this](const EpochStart& it) { return it.start > start_; });
    if (later == epochs_.begin()) return;
    epochs_.erase(epochs_.begin(), later - 1);
    epochs_.front().start = start_;
}

void PartitionLog::delete_old(std::int64_t now, Offset high_watermark) {
    const Offset from = segments_.retained_from(options_, now, end_, high_watermark);
    if (from <= start_) return;
    if (from == end_) roll(); // also the active segment has served its time
    raise_start(from);
}

PartitionLog::TimeAndOffset PartitionLog::find_time(std::int64_t timestamp, Offset limit) const {
    for (std::size_t at = find(start_); at < batches_.size(); ++at) {
        const StoredBatch& stored = batches_[at];
        if (stored.base_offset >= limit) break;
        if (stored.max_timestamp() < timestamp) continue;
        for (std::size_t record = 0; record < stored.batch->records.size(); ++record) {
            const std::int64_t time = stored.timestamp_of(stored.batch->records[record]);
            const Offset offset = stored.offset_of(record);
            if (time >= timestamp && offset >= start_ && offset < limit) return {time, offset};
        }
    }
    return {};
}

std::size_t PartitionLog::find(Offset offset) const {
    if (offset >= end_) return batches_.size();
    if (!batches_.empty() && batches_.back().base_offset <= offset) return batches_.size() - 1;
    const auto found =
        std::partition_point(batches_.begin(), batches_.end(), [offset](const StoredBatch& batch) {
            return batch.end_offset() <= offset;
        });
    return static_cast<std::size_t>(found - batches_.begin());
}

std::size_t PartitionLog::read(Offset from, Offset limit, std::size_t max_bytes, bool at_least_one,
                               std::vector<StoredBatch>& to) const {
    std::size_t bytes = 0;
    for (std::size_t at = find(from); at < batches_.size(); ++at) {
        const StoredBatch& batch = batches_[at];
        if (batch.end_offset() > limit) break;
        const bool must_fit = bytes > 0 || !at_least_one;
        if (must_fit && bytes + batch.batch->bytes > max_bytes) break;
        bytes += std::max<std::size_t>(batch.batch->bytes, 1);
        to.push_back(batch);
    }
    return bytes;
}

std::uint64_t PartitionLog::lose_unflushed(std::optional<sim::Draw> draw) {
    const std::size_t flushed = find(flushed_end_);
    const std::size_t unflushed = batches_.size() - flushed;
    if (unflushed == 0) return 0;
    const std::size_t kept = draw ? draw->below(unflushed + 1) : 0;
    if (kept == unflushed) return 0;
    truncate(batches_[flushed + kept].base_offset);
    return unflushed - kept;
}

void PartitionLog::note_high_watermark(Offset offset, Instant now) {
    std::erase_if(unstable_, [offset](const EndedTransaction& it) { return it.marker < offset; });
    if (now - watermark_kept_at_ < std::chrono::seconds(5)) return;
    kept_watermark_ = offset;
    watermark_kept_at_ = now;
}

std::uint64_t PartitionLog::compact(Offset limit, std::int64_t now,
                                    std::vector<RemovedRecord>* removed) {
    if (!options_.compacts) return 0;
    const Offset dirty_from = std::max(cleaned_end_, start_);
    const LogSegments::Dirt dirt = segments_.dirt(dirty_from, limit, now, options_);
    if (!dirt.must_clean) return 0;
    return clean_up_to(dirt.end, now, removed);
}

void PartitionLog::compact_internal(Offset limit, std::int64_t now) {
    if (batches_.size() < compact_at_) return;
    (void)clean_up_to(limit, now);
    compact_at_ = std::max<std::size_t>(256, batches_.size() * 2);
}

// What stays is flushed, as Kafka's cleaner does with the segments that it writes anew.
std::uint64_t PartitionLog::clean_up_to(Offset limit, std::int64_t now,
                                        std::vector<RemovedRecord>* removed) {
    Cleaning cleaning;
    cleaning.dirty_from = cleaned_end_;
    cleaning.limit = limit;
    cleaning.now = now;
    cleaning.delete_retention = options_.delete_retention;
    cleaning.removed = removed;
    const std::uint64_t gone = clean(batches_, producers_, cleaning);
    cleaned_end_ = std::max(cleaned_end_, limit);
    flushed_end_ = std::max(flushed_end_, std::min(limit, end_));
    segments_.weigh(batches_);
    return gone;
}

PartitionLog& BrokerLogs::open(PartitionId partition, std::uint32_t topic_id,
                               const LogOptions& options) {
    if (logs_.size() <= partition) logs_.resize(partition + std::size_t{1});
    Kept& kept = logs_[partition];
    if (!kept.log || kept.topic_id != topic_id) kept.log = std::make_unique<PartitionLog>(options);
    kept.topic_id = topic_id;
    return *kept.log;
}

std::uint64_t BrokerLogs::lose_unsynced(std::optional<sim::Draw> draw) {
    std::uint64_t lost = 0;
    for (std::size_t at = 0; at < logs_.size(); ++at) {
        if (!logs_[at].log) continue;
        lost += logs_[at].log->lose_unflushed(draw ? std::optional(draw->next(at)) : std::nullopt);
    }
    return lost;
}

} // namespace crier::broker::kafka
