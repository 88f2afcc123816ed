#pragma once

#include "broker-model/kafka/log/producer_states.hpp"

#include <deque>
#include <vector>

// Compaction of a stretch of a log: of each key the record with the highest offset stays, offsets
// and order stay as they are. Does not know when it is time. Source: Kafka Cleaner.

namespace crier::broker::kafka {

/// A record that compaction removed.
struct RemovedRecord {
    Offset offset = 0;
    bool is_tombstone = false;
};

struct Cleaning {
    Offset dirty_from = 0; ///< What lies before was cleaned already.
    Offset limit = 0;      ///< What reaches beyond is left alone; not above the last stable offset.
    std::int64_t now = 0;  ///< Wall nanoseconds.
    Duration delete_retention{};
    std::vector<RemovedRecord>* removed = nullptr; ///< Gets what is removed, if anybody asks.
};

/// Removes superseded and aborted records, outdated tombstones, and markers that decide nothing any
/// more. A batch that is some producer's last stays,
/// if empty, so that its sequence is not forgotten.
/// **Returns** how many records are gone.
std::uint64_t clean(std::deque<StoredBatch>& batches, const ProducerStates& producers,
                    const Cleaning& cleaning);

} // namespace crier::broker::kafka
