#pragma once

#include "broker-model/kafka/protocol.hpp"
#include "broker-model/kafka/share_limits.hpp"

#include <map>
#include <string>
#include <vector>

// One partition as one share group sees it: for every record between the first that is not done and
// the last that was ever fetched, who has it, how often it was delivered, or that it is done. Rules
// only; what must survive the broker is its `state`. Source: Kafka SharePartition; KIP-932.

namespace crier::broker::kafka {

class SharePartition {
public:
    /// Begins with what was kept: what was acquired then is available again.
    SharePartition(const ShareLimits& limits, const ShareState& kept);

    [[nodiscard]] Offset start() const { return start_; }
    [[nodiscard]] Offset end() const { return end_; }

    /// Returns from where to read what may be acquired next: the first record that is available, or
    /// the end.
    [[nodiscard]] Offset next_offset() const;

    /// Gives the member what is available among the batches that were read from `next_offset`, in
    /// order, at least `limit` records if there are so many, and whole batches. A record that was
    /// delivered often comes with few others, and to its last delivery alone. With `is_exact` no
    /// more than `limit` records. Markers, and records of the `aborted` transactions, are nobody's.
    /// **Shape**: ranges of one delivery count, ascending.
    [[nodiscard]] std::vector<AcquiredRecords> acquire(const std::string& member, Instant now,
                                                       std::size_t limit,
                                                       const std::vector<StoredBatch>& batches,
                                                       std::vector<AbortedTransaction> aborted = {},
                                                       bool is_exact = false);

    /// Applies an acknowledgement as a whole or not at all. What lies before the start is done and
    /// is passed over, whoever did it. **Source**: Kafka SharePartition.acknowledge. **Errors**:
    /// INVALID_RECORD_STATE: a record is not the member's; INVALID_REQUEST: it was never fetched.
    [[nodiscard]] ErrorCode acknowledge(const std::string& member,
                                        const AcknowledgementBatch& batch, Instant now);

    /// Takes back what the member has, or what anybody has had for too long. **Returns** whether
    /// there was something.
    bool release(const std::string& member);
    bool expire(Instant now);

    /// Returns when the next lock ends, or `Instant::max()`.
    [[nodiscard]] Instant next_expiry() const;

    /// What lies before is gone from the log.
    void raise_start(Offset log_start);

    /// Returns what is to be kept.
    [[nodiscard]] ShareState state() const;

private:
    struct Entry {
        ShareRecordState state = ShareRecordState::available;
        int delivery_count = 0;
        std::string member; // that has acquired it
        Instant lock_end{};
    };

    [[nodiscard]] std::size_t at_most(const Entry& first, std::size_t limit) const;
    void give_up(Entry& entry) const;
    void advance();

    ShareLimits limits_;
    Offset start_ = 0;
    Offset end_ = 0;
    std::map<Offset, Entry> entries_; // of [start, end)
};

} // namespace crier::broker::kafka
