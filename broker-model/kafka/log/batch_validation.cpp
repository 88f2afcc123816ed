#include "broker-model/kafka/log/batch_validation.hpp"

namespace crier::broker::kafka {

namespace {

bool is_out_of_time(const Record& record, const LogOptions& options, std::int64_t now) {
    if (record.timestamp < 0 || options.log_append_time) return false;
    return now - record.timestamp > options.timestamp_before_max.count() ||
           record.timestamp - now > options.timestamp_after_max.count();
}

} // namespace

BatchVerdict validate(const RecordBatch& batch, const LogOptions& options, std::int64_t now) {
    BatchVerdict verdict;
    if (static_cast<std::int64_t>(batch.bytes) > options.max_message_bytes) {
        verdict.error = ErrorCode::message_too_large;
        return verdict;
    }
    // Nearly every batch is within the limits as a whole.
    const bool may_be_early = options.timestamp_before_max != Duration::max();
    const bool may_be_late = batch.max_timestamp - now > options.timestamp_after_max.count();
    if (!may_be_early && !may_be_late && !options.compacts) return verdict;
    for (std::size_t at = 0; at < batch.records.size(); ++at) {
        const Record& record = batch.records[at];
        const bool lacks_key = options.compacts && !record.key;
        const bool is_late = !lacks_key && is_out_of_time(record, options, now);
        if (!lacks_key && !is_late) continue;
        verdict.bad_records.push_back(static_cast<std::int32_t>(at));
        // One time out of its limits names the whole answer.
        if (is_late) {
            verdict.error = ErrorCode::invalid_timestamp;
        } else if (verdict.error == ErrorCode::none) {
            verdict.error = ErrorCode::invalid_record;
        }
    }
    return verdict;
}

} // namespace crier::broker::kafka
