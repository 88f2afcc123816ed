#include "broker-model/kafka/partition_log.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <set>
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
    batches_.push_back(batch);
    producers_.note(batch);
    end_ = batch.end_offset();
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
    producers_.clear();
    for (const StoredBatch& batch : batches_)
        producers_.note(batch);
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

std::size_t PartitionLog::read(Offset from, Offset limit, std::size_t max_bytes,
                               std::vector<StoredBatch>& to) const {
    std::size_t bytes = 0;
    for (std::size_t at = find(from); at < batches_.size(); ++at) {
        const StoredBatch& batch = batches_[at];
        if (batch.end_offset() > limit) break;
        if (bytes > 0 && bytes + batch.batch->bytes > max_bytes) break;
        bytes += std::max<std::size_t>(batch.batch->bytes, 1);
        to.push_back(batch);
    }
    return bytes;
}

std::uint64_t PartitionLog::lose_unflushed(sim::Draw draw) {
    const std::size_t flushed = find(flushed_end_);
    const std::size_t unflushed = batches_.size() - flushed;
    if (unflushed == 0) return 0;
    const std::size_t kept = draw.below(unflushed + 1);
    if (kept == unflushed) return 0;
    truncate(batches_[flushed + kept].base_offset);
    return unflushed - kept;
}

void PartitionLog::note_high_watermark(Offset offset, Instant now) {
    if (now - watermark_kept_at_ < std::chrono::seconds(5)) return;
    kept_watermark_ = offset;
    watermark_kept_at_ = now;
}

void PartitionLog::compact(Offset limit) {
    if (batches_.size() < compact_at_) return;
    std::set<std::string_view> seen;
    std::vector<StoredBatch> kept;
    kept.reserve(batches_.size());
    for (std::size_t at = batches_.size(); at-- > 0;) {
        bool is_live = batches_[at].end_offset() > limit;
        if (!is_live) {
            for (const Record& record : batches_[at].batch->records) {
                if (!record.key || seen.insert(*record.key).second) is_live = true;
            }
        }
        if (is_live) kept.push_back(batches_[at]);
    }
    std::reverse(kept.begin(), kept.end());
    batches_ = std::move(kept);
    flushed_end_ = std::max(flushed_end_, limit);
    compact_at_ = std::max<std::size_t>(256, batches_.size() * 2);
}

PartitionLog& BrokerLogs::open(PartitionId partition) {
    auto& log = logs_[partition];
    if (!log) log = std::make_unique<PartitionLog>();
    return *log;
}

std::uint64_t BrokerLogs::lose_unsynced(sim::Draw draw) {
    std::uint64_t lost = 0;
    for (std::size_t at = 0; at < logs_.size(); ++at) {
        if (logs_[at]) lost += logs_[at]->lose_unflushed(draw.next(at));
    }
    return lost;
}

} // namespace crier::broker::kafka
