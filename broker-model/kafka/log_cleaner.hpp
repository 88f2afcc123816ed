#pragma once

#include "broker-model/kafka/producer_states.hpp"

#include <deque>

// Compaction of a stretch of a log: of each key the record with the highest offset stays, offsets
// and order stay as they are. Does not know when it is time. Source: Kafka Cleaner.

namespace crier::broker::kafka {

struct Cleaning {
    Offset dirty_from = 0; ///< What lies before was cleaned already.
    Offset limit = 0;      ///< What reaches beyond is left alone.
    std::int64_t now = 0;  ///< Wall nanoseconds.
    Duration delete_retention{};
};

/// Removes superseded records and outdated tombstones. A batch that is some producer's last stays,
/// if empty, so that its sequence is not forgotten.
/// **Returns** how many records are gone.
std::uint64_t clean(std::deque<StoredBatch>& batches, const ProducerStates& producers,
                    const Cleaning& cleaning);

} // namespace crier::broker::kafka
