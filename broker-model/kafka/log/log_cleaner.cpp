#include "broker-model/kafka/log/log_cleaner.hpp"

#include <map>
#include <set>
#include <string_view>

namespace crier::broker::kafka {

namespace {

using LatestOffsets = std::map<std::string_view, Offset>;

/// Where batches of aborted transactions begin. The limit is a last stable offset: everything
/// before it is decided, if by a marker behind it.
std::set<Offset> aborted_batches(const std::deque<StoredBatch>& batches) {
    std::set<Offset> aborted;
    std::map<std::int64_t, Marker> next; // by producer
    for (std::size_t at = batches.size(); at-- > 0;) {
        const StoredBatch& stored = batches[at];
        if (stored.marker != Marker::none) {
            next[stored.producer.id] = stored.marker;
        } else if (stored.producer.is_transactional) {
            const auto marker = next.find(stored.producer.id);
            const bool is_aborted = marker != next.end() && marker->second == Marker::abort;
            if (is_aborted) aborted.insert(stored.base_offset);
        }
    }
    return aborted;
}

LatestOffsets latest_offsets(const std::deque<StoredBatch>& batches,
                             const std::set<Offset>& aborted, const Cleaning& cleaning) {
    LatestOffsets latest;
    for (const StoredBatch& stored : batches) {
        if (stored.end_offset() > cleaning.limit) break;
        if (stored.end_offset() <= cleaning.dirty_from) continue;
        if (aborted.contains(stored.base_offset)) continue;
        for (std::size_t at = 0; at < stored.batch->records.size(); ++at) {
            const Record& record = stored.batch->records[at];
            if (record.key) latest[*record.key] = stored.offset_of(at);
        }
    }
    return latest;
}

/// The cleaner at one batch.
class BatchCleaner {
public:
    BatchCleaner(const LatestOffsets& latest, const std::set<Offset>& aborted,
                 const Cleaning& cleaning)
        : latest_(latest), aborted_(aborted), cleaning_(cleaning) {}

    /// Makes of `stored` what stays of it.
    void clean(StoredBatch& stored) {
        if (stored.marker != Marker::none) return clean_marker(stored);
        const std::vector<Record>& records = stored.batch->records;
        std::vector<std::size_t> kept;
        bool has_tombstone = false;
        for (std::size_t at = 0; at < records.size(); ++at) {
            if (!stays(stored, at)) {
                note_removed(stored, at);
                continue;
            }
            kept.push_back(at);
            has_tombstone = has_tombstone || records[at].is_tombstone;
        }
        // Source: Kafka Cleaner.cleanInto, KIP-534: the first pass over a tombstone sets its time.
        if (has_tombstone && stored.delete_horizon < 0) {
            stored.delete_horizon = cleaning_.now + cleaning_.delete_retention.count();
        }
        if (stored.producer.is_transactional && !kept.empty())
            with_data_.insert(stored.producer.id);
        if (kept.size() < records.size()) stored.batch = only(*stored.batch, kept);
    }

private:
    void note_removed(const StoredBatch& stored, std::size_t at) {
        if (cleaning_.removed == nullptr) return;
        cleaning_.removed->push_back(
            {stored.offset_of(at), stored.batch->records[at].is_tombstone});
    }

    // A marker stays while something that it decides does, and then for as long as a tombstone.
    // Source: Kafka CleanedTransactionMetadata, Cleaner.shouldDiscardBatch.
    void clean_marker(StoredBatch& stored) {
        if (with_data_.erase(stored.producer.id) > 0) return;
        if (stored.delete_horizon < 0) {
            stored.delete_horizon = cleaning_.now + cleaning_.delete_retention.count();
        } else if (stored.delete_horizon <= cleaning_.now) {
            stored.batch = only(*stored.batch, {});
        }
    }

    // Source: Kafka Cleaner.shouldRetainRecord.
    [[nodiscard]] bool stays(const StoredBatch& stored, std::size_t at) const {
        const Record& record = stored.batch->records[at];
        if (!record.key || aborted_.contains(stored.base_offset)) return false;
        const auto latest = latest_.find(*record.key);
        if (latest != latest_.end() && latest->second > stored.offset_of(at)) return false;
        const bool is_outdated =
            stored.delete_horizon >= 0 && stored.delete_horizon <= cleaning_.now;
        return !record.is_tombstone || !is_outdated;
    }

    static SharedBatch only(const RecordBatch& whole, const std::vector<std::size_t>& kept) {
        auto rest = std::make_shared<RecordBatch>();
        rest->compacted_span = static_cast<std::int32_t>(whole.span());
        for (const std::size_t at : kept) {
            rest->records.push_back(whole.records[at]);
            rest->offset_deltas.push_back(static_cast<std::int32_t>(whole.delta(at)));
            rest->max_timestamp = std::max(rest->max_timestamp, whole.records[at].timestamp);
        }
        // In proportion: what each record takes on the wire is the producer's business.
        const std::size_t before = std::max<std::size_t>(whole.records.size(), 1);
        rest->bytes = kept.empty() ? std::min<std::size_t>(whole.bytes, 61)
                                   : std::max<std::size_t>(whole.bytes * kept.size() / before, 1);
        return rest;
    }

    const LatestOffsets& latest_;
    const std::set<Offset>& aborted_;
    const Cleaning& cleaning_;
    std::set<std::int64_t> with_data_; // producers with records kept since their last marker
};

} // namespace

std::uint64_t clean(std::deque<StoredBatch>& batches, const ProducerStates& producers,
                    const Cleaning& cleaning) {
    // The keys lie in batches that are replaced one by one.
    const std::deque<StoredBatch> before = batches;
    const std::set<Offset> aborted = aborted_batches(before);
    const LatestOffsets latest = latest_offsets(before, aborted, cleaning);
    BatchCleaner cleaner(latest, aborted, cleaning);
    std::uint64_t gone = 0;
    std::deque<StoredBatch> kept;
    for (StoredBatch& stored : batches) {
        if (stored.end_offset() <= cleaning.limit) {
            const std::size_t records = stored.batch->records.size();
            cleaner.clean(stored);
            if (stored.marker == Marker::none) gone += records - stored.batch->records.size();
            if (stored.batch->records.empty() && !producers.is_last(stored)) continue;
        }
        kept.push_back(std::move(stored));
    }
    batches = std::move(kept);
    return gone;
}

} // namespace crier::broker::kafka
