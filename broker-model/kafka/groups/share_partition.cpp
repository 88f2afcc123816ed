#include "broker-model/kafka/groups/share_partition.hpp"

#include <algorithm>

namespace crier::broker::kafka {

using State = ShareRecordState;
using crier::kafka::AcknowledgeType;

SharePartition::SharePartition(const ShareLimits& limits, const ShareState& kept)
    : limits_(limits), start_(kept.start), end_(kept.start) {
    for (const ShareStateRange& range : kept.ranges) {
        for (Offset offset = range.first; offset <= range.last; ++offset) {
            Entry& entry = entries_[offset];
            entry.state = range.state;
            entry.delivery_count = range.delivery_count;
        }
        end_ = range.last + 1;
    }
    advance();
}

Offset SharePartition::next_offset() const {
    for (const auto& [offset, entry] : entries_) {
        if (entry.state == State::available) return offset;
    }
    return end_;
}

namespace {

/// Whether a compaction has taken the record at that offset.
bool is_gap(const RecordBatch& batch, Offset delta) {
    return batch.compacted_span > 0 &&
           !std::binary_search(batch.offset_deltas.begin(), batch.offset_deltas.end(), delta);
}

/// Goes through batches in order and tells which of them are for nobody.
class Hidden {
public:
    explicit Hidden(std::vector<AbortedTransaction> aborted) : aborted_(std::move(aborted)) {}

    bool operator()(const StoredBatch& batch) {
        std::erase_if(aborted_, [&](const AbortedTransaction& transaction) {
            if (transaction.first >= batch.end_offset()) return false;
            aborting_.push_back(transaction.producer);
            return true;
        });
        const auto found = std::find(aborting_.begin(), aborting_.end(), batch.producer.id);
        if (batch.marker == Marker::none) {
            return batch.producer.is_transactional && found != aborting_.end();
        }
        if (batch.marker == Marker::abort && found != aborting_.end()) aborting_.erase(found);
        return true;
    }

private:
    std::vector<AbortedTransaction> aborted_;
    std::vector<std::int64_t> aborting_; // producers, while their aborted records pass
};

} // namespace

/// How many records may come with one that was delivered so often. Source: KIP-932 on poison
/// records; Kafka SharePartition: from half the limit on, ever fewer.
std::size_t SharePartition::at_most(const Entry& first, std::size_t limit) const {
    const int half = (limits_.delivery_count_limit + 1) / 2;
    if (first.delivery_count + 1 >= limits_.delivery_count_limit) return 1;
    if (first.delivery_count < half) return limit;
    return std::max<std::size_t>(1, limit >> (first.delivery_count - half + 1));
}

std::vector<AcquiredRecords> SharePartition::acquire(const std::string& member, Instant now,
                                                     std::size_t limit,
                                                     const std::vector<StoredBatch>& batches,
                                                     std::vector<AbortedTransaction> aborted,
                                                     bool is_exact) {
    Hidden is_hidden(std::move(aborted));
    std::vector<AcquiredRecords> acquired;
    std::size_t count = 0;
    std::size_t most = limit;
    bool is_cut = is_exact; // whole batches no more
    for (const StoredBatch& batch : batches) {
        if (count >= most) break;
        const bool is_for_nobody = is_hidden(batch);
        for (Offset offset = std::max(batch.base_offset, start_); offset < batch.end_offset();
             ++offset) {
            const auto known = entries_.find(offset);
            if (known == entries_.end()) {
                if (offset < end_) continue;
                if (entries_.size() >= limits_.partition_max_record_locks) return acquired;
            } else if (known->second.state != State::available) {
                continue;
            }
            Entry& entry = known == entries_.end() ? entries_[offset] : known->second;
            end_ = std::max(end_, offset + 1);
            if (is_for_nobody || is_gap(*batch.batch, offset - batch.base_offset)) {
                entry.state = State::archived;
                continue;
            }
            const std::size_t allowed = at_most(entry, limit);
            if (count > 0 && allowed == 1) return acquired; // it comes alone
            if (allowed < limit) {
                most = count == 0 ? allowed : std::min(most, allowed);
                is_cut = true;
            }
            entry.state = State::acquired;
            ++entry.delivery_count;
            entry.member = member;
            entry.lock_end = now + limits_.record_lock_duration;
            ++count;
            const bool continues = !acquired.empty() && acquired.back().last + 1 == offset &&
                                   acquired.back().delivery_count == entry.delivery_count;
            if (continues) {
                acquired.back().last = offset;
            } else {
                acquired.push_back({offset, offset, entry.delivery_count});
            }
            if (is_cut && count >= most) return acquired;
        }
    }
    return acquired;
}

ErrorCode SharePartition::acknowledge(const std::string& member, const AcknowledgementBatch& batch,
                                      Instant now) {
    if (batch.first > batch.last || batch.last >= end_) return ErrorCode::invalid_request;
    const Offset first = std::max(batch.first, start_);
    for (Offset offset = first; offset <= batch.last; ++offset) {
        const auto found = entries_.find(offset);
        if (found == entries_.end() || found->second.state != State::acquired ||
            found->second.member != member || found->second.lock_end <= now) {
            return ErrorCode::invalid_record_state;
        }
    }
    for (Offset offset = first; offset <= batch.last; ++offset) {
        Entry& entry = entries_.at(offset);
        switch (batch.type) {
        case AcknowledgeType::accept: entry.state = State::acknowledged; break;
        case AcknowledgeType::release: give_up(entry); break;
        case AcknowledgeType::reject: entry.state = State::archived; break;
        case AcknowledgeType::renew: entry.lock_end = now + limits_.record_lock_duration; break;
        }
    }
    advance();
    return ErrorCode::none;
}

// The delivery counts all the same.
void SharePartition::give_up(Entry& entry) const {
    entry.state =
        entry.delivery_count >= limits_.delivery_count_limit ? State::archived : State::available;
    entry.member.clear();
}

bool SharePartition::release(const std::string& member) {
    bool has_any = false;
    for (auto& [offset, entry] : entries_) {
        if (entry.state != State::acquired || entry.member != member) continue;
        give_up(entry);
        has_any = true;
    }
    advance();
    return has_any;
}

bool SharePartition::expire(Instant now) {
    bool has_any = false;
    for (auto& [offset, entry] : entries_) {
        if (entry.state != State::acquired || entry.lock_end > now) continue;
        give_up(entry);
        has_any = true;
    }
    advance();
    return has_any;
}

Instant SharePartition::next_expiry() const {
    Instant next = Instant::max();
    for (const auto& [offset, entry] : entries_) {
        if (entry.state == State::acquired) next = std::min(next, entry.lock_end);
    }
    return next;
}

void SharePartition::raise_start(Offset log_start) {
    if (log_start <= start_) return;
    entries_.erase(entries_.begin(), entries_.lower_bound(log_start));
    start_ = log_start;
    end_ = std::max(end_, log_start);
    advance();
}

void SharePartition::advance() {
    while (!entries_.empty()) {
        const State state = entries_.begin()->second.state;
        if (state != State::acknowledged && state != State::archived) break;
        entries_.erase(entries_.begin());
    }
    start_ = entries_.empty() ? end_ : entries_.begin()->first;
}

ShareState SharePartition::state() const {
    ShareState kept;
    kept.start = start_;
    for (const auto& [offset, entry] : entries_) {
        const bool is_held = entry.state == State::acquired;
        ShareStateRange one;
        one.first = one.last = offset;
        one.state = is_held ? State::available : entry.state;
        one.delivery_count = entry.delivery_count;
        if (!kept.ranges.empty() && kept.ranges.back().last + 1 == offset &&
            kept.ranges.back().state == one.state &&
            kept.ranges.back().delivery_count == one.delivery_count) {
            kept.ranges.back().last = offset;
        } else {
            kept.ranges.push_back(one);
        }
    }
    return kept;
}

} // namespace crier::broker::kafka
