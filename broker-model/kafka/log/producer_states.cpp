#include "broker-model/kafka/log/producer_states.hpp"

#include <algorithm>
#include <limits>

namespace crier::broker::kafka {

std::int32_t sequence_after(std::int32_t sequence, std::size_t count) {
    constexpr std::int64_t greatest = std::numeric_limits<std::int32_t>::max();
    const std::int64_t after = std::int64_t{sequence} + static_cast<std::int64_t>(count);
    return static_cast<std::int32_t>(after > greatest ? after - greatest - 1 : after);
}

const ProducerStates::Producer* ProducerStates::find(std::int64_t id) const {
    const auto found = std::lower_bound(
        producers_.begin(), producers_.end(), id,
        [](const Producer& producer, std::int64_t it) { return producer.id < it; });
    return found != producers_.end() && found->id == id ? &*found : nullptr;
}

const ProducerStates::Verification*
ProducerStates::find_verification(const ProducerStamp& stamp) const {
    for (const Verification& verification : verifications_) {
        if (verification.id == stamp.id) return &verification;
    }
    return nullptr;
}

void ProducerStates::forget_before(std::int64_t oldest) {
    std::erase_if(producers_, [oldest](const Producer& producer) {
        return producer.open_since < 0 && producer.last_timestamp >= 0 &&
               producer.last_timestamp <= oldest;
    });
}

bool ProducerStates::is_last(const StoredBatch& stored) const {
    const Producer* const known = stored.producer.is_set() ? find(stored.producer.id) : nullptr;
    return known != nullptr && known->count > 0 && known->epoch == stored.producer.epoch &&
           known->written[known->count - 1].base == stored.base_offset;
}

ProducerStates::Producer& ProducerStates::enter(const ProducerStamp& stamp) {
    auto place = std::lower_bound(
        producers_.begin(), producers_.end(), stamp.id,
        [](const Producer& producer, std::int64_t id) { return producer.id < id; });
    if (place == producers_.end() || place->id != stamp.id) {
        Producer fresh;
        fresh.id = stamp.id;
        fresh.epoch = stamp.epoch;
        place = producers_.insert(place, fresh);
    }
    return *place;
}

// The order of the checks is Kafka's. Source: UnifiedLog.analyzeAndValidateProducerState, then
// ProducerAppendInfo.appendDataBatch.
ProducerStates::Verdict ProducerStates::judge(const ProducerStamp& stamp, std::size_t count,
                                              const TransactionRules& rules,
                                              std::uint32_t guard) const {
    Verdict verdict;
    if (!stamp.is_set()) return verdict;
    const Producer* const known = find(stamp.id);
    const bool has_number = stamp.sequence >= 0;
    if (known != nullptr && has_number && stamp.epoch == known->epoch) {
        const std::int32_t last = sequence_after(stamp.sequence, count - 1);
        for (std::size_t at = 0; at < known->count; ++at) {
            const Written& written = known->written[at];
            if (written.first != stamp.sequence || written.last != last) continue;
            verdict.copy_at = written.base;
            return verdict;
        }
    }
    if (stamp.is_transactional && !is_open(stamp)) {
        const Verification* const verification = find_verification(stamp);
        const bool is_verified =
            guard != 0 && verification != nullptr && verification->guard == guard;
        if (known != nullptr && stamp.epoch < known->epoch) {
            verdict.error = ErrorCode::invalid_producer_epoch;
        } else if (rules.must_be_verified && !is_verified) {
            verdict.error = ErrorCode::invalid_txn_state;
        }
        if (verdict.error != ErrorCode::none) return verdict;
    }
    if (known != nullptr && stamp.epoch < known->epoch) {
        verdict.error = ErrorCode::invalid_producer_epoch;
    } else if (has_number && !is_in_sequence(known, stamp, rules)) {
        verdict.error = ErrorCode::out_of_order_sequence_number;
    } else if (known != nullptr && known->open_since >= 0 && !stamp.is_transactional) {
        verdict.error = ErrorCode::invalid_txn_state;
    }
    return verdict;
}

// Source: ProducerAppendInfo.checkSequence. An unknown producer may begin anywhere, except where
// its transaction has an epoch of its own.
bool ProducerStates::is_in_sequence(const Producer* known, const ProducerStamp& stamp,
                                    const TransactionRules& rules) const {
    const Verification* const verification = find_verification(stamp);
    if (verification != nullptr && stamp.sequence > verification->lowest_sequence) return false;
    if (known == nullptr) {
        return !stamp.is_transactional || !rules.epoch_by_transaction || stamp.sequence == 0;
    }
    if (stamp.epoch > known->epoch) return stamp.sequence == 0;
    return stamp.sequence == sequence_after(known->last_sequence(), 1);
}

ErrorCode ProducerStates::judge_marker(const ProducerStamp& stamp, std::int32_t coordinator_epoch,
                                       const TransactionRules& rules) const {
    const Producer* const known = find(stamp.id);
    if (known == nullptr) return ErrorCode::none;
    const bool is_old =
        stamp.epoch < known->epoch ||
        (rules.epoch_by_transaction && stamp.epoch == known->epoch && known->open_since >= 0);
    if (is_old) return ErrorCode::invalid_producer_epoch;
    return coordinator_epoch < known->coordinator_epoch ? ErrorCode::transaction_coordinator_fenced
                                                        : ErrorCode::none;
}

bool ProducerStates::is_open(const ProducerStamp& stamp) const {
    const Producer* const known = find(stamp.id);
    return known != nullptr && known->open_since >= 0 && known->epoch == stamp.epoch;
}

std::uint32_t ProducerStates::begin_verification(const ProducerStamp& stamp, std::uint32_t fresh) {
    for (Verification& verification : verifications_) {
        if (verification.id != stamp.id) continue;
        const bool is_new = verification.epoch < stamp.epoch;
        verification.lowest_sequence =
            is_new ? stamp.sequence : std::min(verification.lowest_sequence, stamp.sequence);
        verification.epoch = std::max(verification.epoch, stamp.epoch);
        return verification.guard;
    }
    verifications_.push_back({stamp.id, stamp.epoch, stamp.sequence, fresh});
    return fresh;
}

std::optional<EndedTransaction> ProducerStates::note(const StoredBatch& stored) {
    const ProducerStamp& stamp = stored.producer;
    if (!stamp.is_set()) return std::nullopt;
    if (stamp.is_transactional) {
        std::erase_if(verifications_,
                      [&stamp](const Verification& it) { return it.id == stamp.id; });
    }
    if (stored.marker != Marker::none) return note_marker(stored);
    Producer& producer = enter(stamp);
    producer.begin_epoch(stamp.epoch);
    producer.last_timestamp = stored.max_timestamp();
    if (stamp.is_transactional && producer.open_since < 0) {
        producer.open_since = stored.base_offset;
        open_.push_back(stored.base_offset);
    }
    if (stamp.sequence < 0) return std::nullopt;
    if (producer.count == batches_kept) {
        std::move(producer.written.begin() + 1, producer.written.end(), producer.written.begin());
        --producer.count;
    }
    const auto records = static_cast<std::size_t>(stored.batch->span());
    producer.written[producer.count++] = {
        stamp.sequence, sequence_after(stamp.sequence, records - 1), stored.base_offset};
    return std::nullopt;
}

std::optional<EndedTransaction> ProducerStates::note_marker(const StoredBatch& marker) {
    Producer& producer = enter(marker.producer);
    producer.begin_epoch(marker.producer.epoch);
    producer.last_timestamp = marker.max_timestamp();
    producer.coordinator_epoch = marker.coordinator_epoch;
    const Offset first = std::exchange(producer.open_since, -1);
    if (first < 0) return std::nullopt; // nothing of it is here, or it was ended before
    std::erase(open_, first);
    return EndedTransaction{producer.id, first, marker.base_offset};
}

Offset ProducerStates::first_open() const {
    return open_.empty() ? -1 : open_.front();
}

} // namespace crier::broker::kafka
