#include "broker-model/kafka/committed_offsets.hpp"

#include "broker-model/kafka/group_records.hpp"

#include <algorithm>

namespace crier::broker::kafka {

void CommittedOffsets::apply(const StoredBatch& batch) {
    if (batch.marker != Marker::none) {
        return end(batch.producer.id, batch.marker == Marker::commit);
    }
    for (std::size_t at = 0; at < batch.batch->records.size(); ++at) {
        const std::optional<OffsetRecord> taken = read_offset_record(batch.batch->records[at]);
        if (!taken) continue;
        const Commit commit{taken->offset, batch.offset_of(at)};
        if (batch.producer.is_transactional) {
            pending_.push_back(
                {batch.producer.id, std::string(taken->group), taken->partition, commit});
        } else {
            note(taken->group, taken->partition, commit);
        }
    }
}

void CommittedOffsets::end(std::int64_t producer, bool commits) {
    if (commits) {
        for (const Pending& pending : pending_) {
            if (pending.producer == producer)
                note(pending.group, pending.partition, pending.commit);
        }
    }
    std::erase_if(pending_, [producer](const Pending& it) { return it.producer == producer; });
}

void CommittedOffsets::note(std::string_view group, PartitionId partition, const Commit& commit) {
    auto found = groups_.find(group);
    if (found == groups_.end())
        found = groups_.emplace(group, std::map<PartitionId, Commit>()).first;
    Commit& known = found->second[partition];
    if (commit.place > known.place) known = commit;
}

Offset CommittedOffsets::find(std::string_view group, PartitionId partition) const {
    const auto found = groups_.find(group);
    if (found == groups_.end()) return -1;
    const auto commit = found->second.find(partition);
    return commit == found->second.end() ? -1 : commit->second.offset;
}

bool CommittedOffsets::is_pending(std::string_view group, PartitionId partition) const {
    return std::any_of(pending_.begin(), pending_.end(), [&](const Pending& it) {
        return it.group == group && it.partition == partition;
    });
}

} // namespace crier::broker::kafka
