#pragma once

#include "broker-model/kafka/log/log_options.hpp"
#include "broker-model/kafka/protocol.hpp"

#include <vector>

// What a leader asks of a client's batch before it looks at producers and offsets.

namespace crier::broker::kafka {

struct BatchVerdict {
    ErrorCode error = ErrorCode::none;
    std::vector<std::int32_t> bad_records; ///< Indexes in the batch; empty: all of it is bad.
};

/// Judges a batch that arrives at wall time `now` (nanoseconds). One bad record refuses all.
/// **Source**: Kafka UnifiedLog.analyzeAndValidateRecords, LogValidator.validateRecord.
[[nodiscard]] BatchVerdict validate(const RecordBatch& batch, const LogOptions& options,
                                    std::int64_t now);

} // namespace crier::broker::kafka
