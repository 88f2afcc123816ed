#include "broker-model/kafka/groups/committed_offsets.hpp"

#include "broker-model/kafka/groups/group_records.hpp"

#include <algorithm>

namespace crier::broker::kafka {

void CommittedOffsets::apply(const StoredBatch& batch) {
    if (batch.marker != Marker::none) {
        return end(batch.producer.id, batch.marker == Marker::commit);
    }
    for (std::size_t at = 0; at < batch.batch->records.size(); ++at) {
        const Record& record = batch.batch->records[at];
        const std::optional<OffsetRecord> commit = read_offset_record(record);
        if (!commit) continue;
        if (record.is_tombstone) {
            erase(commit->group, commit->partition);
            continue;
        }
        Committed taken;
        taken.offset = commit->offset;
        taken.metadata = commit->metadata;
        taken.leader_epoch = commit->leader_epoch;
        taken.topic_id = commit->topic_id;
        taken.time = record.timestamp;
        taken.place = batch.offset_of(at);
        if (batch.producer.is_transactional) {
            Pending& pending = pending_.emplace_back();
            pending.producer = batch.producer.id;
            pending.group = commit->group;
            pending.partition = commit->partition;
            pending.commit = std::move(taken);
        } else {
            note(commit->group, commit->partition, std::move(taken));
        }
    }
}

void CommittedOffsets::end(std::int64_t producer, bool commits) {
    for (Pending& pending : pending_) {
        if (commits && pending.producer == producer) {
            note(pending.group, pending.partition, std::move(pending.commit));
        }
    }
    std::erase_if(pending_, [producer](const Pending& it) { return it.producer == producer; });
}

void CommittedOffsets::note(std::string_view group, PartitionId partition, Committed commit) {
    auto found = groups_.find(group);
    if (found == groups_.end()) found = groups_.emplace(group, Partitions()).first;
    Committed& known = found->second[partition];
    if (commit.place > known.place) known = std::move(commit);
}

void CommittedOffsets::erase(std::string_view group, PartitionId partition) {
    const auto found = groups_.find(group);
    if (found == groups_.end()) return;
    found->second.erase(partition);
    if (found->second.empty()) groups_.erase(found);
}

const Committed* CommittedOffsets::find(std::string_view group, PartitionId partition) const {
    const auto found = groups_.find(group);
    if (found == groups_.end()) return nullptr;
    const auto commit = found->second.find(partition);
    return commit == found->second.end() ? nullptr : &commit->second;
}

bool CommittedOffsets::is_pending(std::string_view group, PartitionId partition) const {
    return std::any_of(pending_.begin(), pending_.end(), [&](const Pending& it) {
        return it.group == group && it.partition == partition;
    });
}

bool CommittedOffsets::is_pending(std::string_view group) const {
    return std::any_of(pending_.begin(), pending_.end(),
                       [&](const Pending& it) { return it.group == group; });
}

} // namespace crier::broker::kafka
