#include "broker-model/kafka/record_ledger.hpp"

#include "broker-model/events.hpp"
#include "broker-model/kafka/cluster.hpp"
#include "broker-model/kafka/group_records.hpp"
#include "messaging/dead_letters.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <charconv>

namespace crier::broker::kafka {

namespace {

// Returns the end of what two logs have in common, the first given by its epochs. What the second
// has deleted on purpose counts as common.
Offset common_end(const std::vector<EpochStart>& epochs, Offset end, const PartitionLog& log) {
    for (std::size_t at = epochs.size(); at-- > 0;) {
        const Offset epoch_end = at + 1 < epochs.size() ? epochs[at + 1].start : end;
        const EpochEnd found = log.end_of(epochs[at].epoch);
        if (found.epoch == epochs[at].epoch) return std::min(epoch_end, found.end);
    }
    return log.start();
}

std::int64_t attempts_in(std::string_view text) {
    std::int64_t attempts = 0;
    std::from_chars(text.data(), text.data() + text.size(), attempts);
    return attempts;
}

} // namespace

RecordLedger::RecordLedger(const Cluster& cluster) : cluster_(cluster), world_(cluster.world()) {
    for (const PartitionState& state : cluster.first_metadata()->partitions)
        begins(state.partition, state.topic_id);
}

void RecordLedger::begins(PartitionId partition, std::uint32_t topic_id) {
    if (told_.size() <= partition) told_.resize(partition + std::size_t{1});
    told_[partition] = {};
    told_[partition].topic_id = topic_id;
}

void RecordLedger::ends(const sim::Process& controller, PartitionId partition) {
    const Offset end = told_[partition].end;
    begins(partition, 0);
    if (end == 0) return;
    world_.record_as(&controller, events::records_lost, cluster_.info(partition).name_text,
                     Offset{0}, end - 1);
}

void RecordLedger::leads(const sim::Process& leader, const PartitionState& state,
                         const PartitionLog& log) {
    const PartitionId partition = state.partition;
    Told& told = told_[partition];
    if (!leader.is_alive() || state.topic_id != told.topic_id ||
        state.leader_epoch <= told.leader_epoch)
        return; // news that has grown old on its way
    told.leader_epoch = state.leader_epoch;
    const Offset common = common_end(told.epochs, told.end, log);
    if (common >= told.end) return;
    world_.record_as(&leader, events::records_lost, cluster_.info(partition).name_text, common,
                     told.end - 1);
    told.end = common;
    while (!told.epochs.empty() && told.epochs.back().start >= common)
        told.epochs.pop_back();
    std::erase_if(told.open, [common](const auto& it) { return it.first >= common; });
}

void RecordLedger::stored_up_to(const sim::Process& leader, const PartitionState& state,
                                const PartitionLog& log, Offset high_watermark) {
    const PartitionId partition = state.partition;
    Told& told = told_[partition];
    if (high_watermark <= told.end || state.leader_epoch < told.leader_epoch ||
        state.topic_id != told.topic_id || !leader.is_alive()) {
        return;
    }
    for (std::size_t at = log.find(told.end); at < log.batches().size(); ++at) {
        const StoredBatch& batch = log.batches()[at];
        if (batch.base_offset >= high_watermark) break;
        if (told.epochs.empty() || told.epochs.back().epoch < batch.leader_epoch) {
            told.epochs.push_back({batch.leader_epoch, batch.base_offset});
        }
        if (batch.marker != Marker::none) {
            tell_ended(leader, partition, log, batch);
        } else if (!batch.producer.is_transactional) {
            tell(leader, partition, batch, told.end, high_watermark, Fate::stored);
        } else {
            const std::int64_t producer = batch.producer.id;
            const bool is_open =
                std::any_of(told.open.begin(), told.open.end(),
                            [producer](const auto& it) { return it.producer == producer; });
            if (!is_open) told.open.push_back({producer, batch.base_offset});
            tell(leader, partition, batch, told.end, high_watermark, Fate::written);
        }
    }
    told.end = high_watermark;
}

void RecordLedger::tell_ended(const sim::Process& leader, PartitionId partition,
                              const PartitionLog& log, const StoredBatch& marker) {
    std::vector<AbortedTransaction>& open = told_[partition].open;
    const std::int64_t producer = marker.producer.id;
    const auto found = std::find_if(open.begin(), open.end(),
                                    [producer](const auto& it) { return it.producer == producer; });
    if (found == open.end()) return;
    const Offset first = found->first;
    open.erase(found);
    const Fate fate = marker.marker == Marker::commit ? Fate::stored : Fate::aborted;
    for (std::size_t at = log.find(first); at < log.batches().size(); ++at) {
        const StoredBatch& batch = log.batches()[at];
        if (batch.base_offset >= marker.base_offset) break;
        const bool is_its = batch.producer.id == producer && batch.marker == Marker::none;
        if (is_its) tell(leader, partition, batch, first, marker.base_offset, fate);
    }
}

void RecordLedger::tell(const sim::Process& leader, PartitionId partition, const StoredBatch& batch,
                        Offset from, Offset to, Fate fate) {
    const std::uint64_t cause = world_.kernel().cause();
    const bool is_internal = cluster_.is_internal(partition);
    for (std::size_t at = 0; at < batch.batch->records.size(); ++at) {
        const Record& record = batch.batch->records[at];
        const Offset offset = batch.offset_of(at);
        if (offset >= from && offset < to) {
            if (!is_internal) {
                tell(leader, partition, offset, record, fate);
            } else if (fate == Fate::stored) {
                tell_commit(leader, record);
            }
        }
        world_.kernel().set_cause(cause); // one record does not lead to the next
    }
}

// A record that no producer of ours took may have a header without being told of it.
std::uint64_t RecordLedger::message_of(PartitionId partition, Offset offset,
                                       const Record& record) const {
    if (record.message != 0) return record.message;
    const std::string_view id = find_header(record.headers, id_header);
    if (!id.empty()) return world_.history().text(id);
    const PartitionInfo& info = cluster_.info(partition);
    return world_.history().text(
        crier::kafka::place_of_record(cluster_.topic(info.topic).name, info.index, offset));
}

void RecordLedger::tell(const sim::Process& leader, PartitionId partition, Offset offset,
                        const Record& record, Fate fate) {
    sim::History& history = world_.history();
    const PartitionInfo& info = cluster_.info(partition);
    const std::uint64_t message = message_of(partition, offset, record);
    const std::uint64_t key = record.key ? history.text(*record.key) : 0;
    switch (fate) {
    case Fate::stored:
        world_.record_as(&leader, events::stored, info.name_text, offset, message, key);
        break;
    case Fate::written:
        world_.record_as(&leader, events::written, info.name_text, offset, message, key);
        return;
    case Fate::aborted:
        world_.record_as(&leader, events::aborted, info.name_text, offset, message, key);
        return;
    }
    if (!cluster_.topic(info.topic).dead_letters) return;
    const std::string_view service =
        find_header(record.headers, messaging::dead_letter_service_header);
    const std::string_view letter = find_header(record.headers, messaging::dead_letter_id_header);
    const std::string_view attempts =
        find_header(record.headers, messaging::dead_letter_attempts_header);
    world_.record_as(&leader, events::dead_lettered, message, history.name(service),
                     history.text(letter), attempts_in(attempts));
}

void RecordLedger::tell_commit(const sim::Process& leader, const Record& record) {
    const std::optional<OffsetRecord> commit = read_offset_record(record);
    if (!commit) return;
    if (record.is_tombstone) {
        world_.record_as(&leader, events::offset_expired,
                         cluster_.info(commit->partition).name_text,
                         world_.history().name(commit->group));
        return;
    }
    world_.record_as(&leader, events::offset_committed, cluster_.info(commit->partition).name_text,
                     world_.history().name(commit->group), commit->offset, commit->generation);
}

} // namespace crier::broker::kafka
