#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <map>
#include <string>
#include <vector>

// The commits of all groups in one partition of __consumer_offsets, as its log says. A commit
// inside a transaction counts when the marker says so, by its own place in the log: what was
// written later has won meanwhile. Source: Kafka OffsetMetadataManager.

namespace crier::broker::kafka {

class CommittedOffsets {
public:
    /// Takes over what the next batch of the log says.
    void apply(const StoredBatch& batch);

    /// Returns the offset committed, -1 when there is none.
    [[nodiscard]] Offset find(std::string_view group, PartitionId partition) const;

    /// Whether a transaction without a verdict commits an offset for the partition.
    [[nodiscard]] bool is_pending(std::string_view group, PartitionId partition) const;

private:
    struct Commit {
        Offset offset = -1;
        Offset place = -1; // in the log
    };
    struct Pending {
        std::int64_t producer = -1;
        std::string group;
        PartitionId partition = 0;
        Commit commit;
    };

    void note(std::string_view group, PartitionId partition, const Commit& commit);
    void end(std::int64_t producer, bool commits);

    std::map<std::string, std::map<PartitionId, Commit>, std::less<>> groups_;
    std::vector<Pending> pending_;
};

} // namespace crier::broker::kafka
