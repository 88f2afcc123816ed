#include "broker-model/kafka/record_ledger.hpp"

#include "broker-model/events.hpp"
#include "broker-model/kafka/cluster.hpp"
#include "broker-model/kafka/groups/group_records.hpp"
#include "messaging/dead_letters.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

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
    world_.record_as(&controller, events::partition_deleted, cluster_.info(partition).name_text,
                     end);
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
    told.sequences.clear(); // where they go on is not known
    std::erase_if(told.open, [common](const auto& it) { return it.first >= common; });
}

void RecordLedger::stored_up_to(const sim::Process& leader, const PartitionState& state,
                                const PartitionLog& log, Offset high_watermark) {
    const PartitionId partition = state.partition;
    Told& told = told_[partition];
    if (is_former(state) || !leader.is_alive()) return;
    check_mark(told.watermark, leader, partition, state.leader_epoch, high_watermark,
               events::watermark_fell);
    if (high_watermark <= told.end) return;
    for (std::size_t at = log.find(told.end); at < log.batches().size(); ++at) {
        const StoredBatch& batch = log.batches()[at];
        if (batch.base_offset >= high_watermark) break;
        if (told.epochs.empty() || told.epochs.back().epoch < batch.leader_epoch) {
            told.epochs.push_back({batch.leader_epoch, batch.base_offset});
        }
        if (batch.producer.sequence >= 0 && batch.base_offset >= told.end) {
            tell_sequence(leader, partition, batch);
        }
        if (batch.marker != Marker::none) {
            tell_ended(leader, partition, log, batch);
        } else if (!batch.producer.is_transactional) {
            tell(leader, partition, batch, told.end, high_watermark, Fate::stored);
        } else {
            tell_written(leader, partition, batch);
            tell(leader, partition, batch, told.end, high_watermark, Fate::written);
        }
    }
    told.end = high_watermark;
}

void RecordLedger::stable_up_to(const sim::Process& leader, const PartitionState& state,
                                Offset offset) {
    if (is_former(state) || !leader.is_alive()) return;
    check_mark(told_[state.partition].stable, leader, state.partition, state.leader_epoch, offset,
               events::stable_offset_fell);
}

bool RecordLedger::is_former(const PartitionState& state) const {
    const Told& told = told_[state.partition];
    return state.leader_epoch < told.leader_epoch || state.topic_id != told.topic_id;
}

void RecordLedger::check_mark(Mark& mark, const sim::Process& leader, PartitionId partition,
                              std::int32_t epoch, Offset offset, const sim::EventKind& fell) {
    const Mark before = std::exchange(mark, {epoch, leader.incarnation(), offset});
    if (before.epoch != epoch || before.life != mark.life || before.offset <= offset) return;
    world_.record_as(&leader, fell, cluster_.info(partition).name_text, epoch, before.offset,
                     offset);
}

void RecordLedger::tell_sequence(const sim::Process& leader, PartitionId partition,
                                 const StoredBatch& batch) {
    const ProducerStamp& stamp = batch.producer;
    std::vector<Sequence>& known = told_[partition].sequences;
    auto it =
        std::lower_bound(known.begin(), known.end(), stamp.id,
                         [](const Sequence& held, std::int64_t id) { return held.producer < id; });
    if (it == known.end() || it->producer != stamp.id) it = known.insert(it, {stamp.id, -1, 0});
    const bool goes_on = it->epoch == stamp.epoch && it->next == stamp.sequence;
    it->epoch = stamp.epoch;
    it->next = sequence_after(stamp.sequence, static_cast<std::size_t>(batch.batch->span()));
    if (goes_on) return;
    const std::uint64_t cause = world_.kernel().cause();
    world_.record_as(&leader, events::sequence_begun, cluster_.info(partition).name_text, stamp.id,
                     stamp.epoch, stamp.sequence);
    world_.kernel().set_cause(cause);
}

void RecordLedger::tell_written(const sim::Process& leader, PartitionId partition,
                                const StoredBatch& batch) {
    const ProducerStamp& stamp = batch.producer;
    std::vector<OpenTransaction>& open = told_[partition].open;
    auto it = std::find_if(open.begin(), open.end(),
                           [&stamp](const auto& held) { return held.producer == stamp.id; });
    if (it == open.end()) {
        it = open.insert(open.end(), {stamp.id, batch.base_offset, -1, 0});
    } else if (it->epoch == stamp.epoch && it->transaction == stamp.transaction) {
        return;
    }
    it->epoch = stamp.epoch;
    it->transaction = stamp.transaction;
    const std::uint64_t cause = world_.kernel().cause();
    world_.record_as(&leader, events::transaction_written, cluster_.info(partition).name_text,
                     stamp.id, stamp.epoch, stamp.transaction);
    world_.kernel().set_cause(cause);
}

void RecordLedger::tell_ended(const sim::Process& leader, PartitionId partition,
                              const PartitionLog& log, const StoredBatch& marker) {
    std::vector<OpenTransaction>& open = told_[partition].open;
    const std::int64_t producer = marker.producer.id;
    const auto found = std::find_if(open.begin(), open.end(),
                                    [producer](const auto& it) { return it.producer == producer; });
    if (found == open.end()) return;
    const Offset first = found->first;
    open.erase(found);
    const bool commits = marker.marker == Marker::commit;
    const std::uint64_t verdict = world_.history().name(commits ? "commit" : "abort");
    std::uint64_t transaction = 0; // of the last batch: what is ended should be one only
    const auto end = [&](std::uint64_t next) {
        if (transaction != 0 && transaction != next) {
            world_.record_as(&leader, events::transaction_marked,
                             cluster_.info(partition).name_text, transaction, verdict,
                             marker.producer.epoch);
        }
        transaction = next;
    };
    for (std::size_t at = log.find(first); at < log.batches().size(); ++at) {
        const StoredBatch& batch = log.batches()[at];
        if (batch.base_offset >= marker.base_offset) break;
        const bool is_its = batch.producer.id == producer && batch.marker == Marker::none;
        if (!is_its) continue;
        end(batch.producer.transaction);
        tell(leader, partition, batch, first, marker.base_offset,
             commits ? Fate::stored : Fate::aborted);
    }
    end(0);
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
