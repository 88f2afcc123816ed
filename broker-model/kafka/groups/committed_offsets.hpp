#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <map>
#include <string>
#include <vector>

// The commits of all groups in one partition of __consumer_offsets, as its log says. A commit in
// a transaction counts when the marker says so, by its own place in the log: what was written later
// has won meanwhile. Source: Kafka OffsetMetadataManager.

namespace crier::broker::kafka {

struct Committed {
    Offset offset = -1;
    std::string metadata;
    std::int32_t leader_epoch = -1;
    std::uint32_t topic_id = 0;
    std::int64_t time = 0; ///< Wall nanoseconds of the coordinator that took it.
    Offset place = -1;     ///< In the log.
};

class CommittedOffsets {
public:
    using Partitions = std::map<PartitionId, Committed>;
    using Groups = std::map<std::string, Partitions, std::less<>>;

    /// Takes over what the next batch of the log says.
    void apply(const StoredBatch& batch);

    /// Returns the commit, null when there is none.
    [[nodiscard]] const Committed* find(std::string_view group, PartitionId partition) const;

    /// Returns the groups that have commits.
    [[nodiscard]] const Groups& groups() const { return groups_; }

    /// Whether a transaction without a verdict commits an offset for the partition, or for any.
    [[nodiscard]] bool is_pending(std::string_view group, PartitionId partition) const;
    [[nodiscard]] bool is_pending(std::string_view group) const;

private:
    struct Pending {
        std::int64_t producer = -1;
        std::string group;
        PartitionId partition = 0;
        Committed commit;
    };

    void note(std::string_view group, PartitionId partition, Committed commit);
    void erase(std::string_view group, PartitionId partition);
    void end(std::int64_t producer, bool commits);

    Groups groups_;
    std::vector<Pending> pending_;
};

} // namespace crier::broker::kafka
