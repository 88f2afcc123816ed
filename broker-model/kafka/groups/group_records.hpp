#pragma once

#include "broker-model/kafka/groups/consumer_group.hpp"
#include "broker-model/kafka/groups/share_group.hpp"
#include "broker-model/kafka/protocol.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a group coordinator writes into __consumer_offsets, and reads again after it moved: commits
// and the groups as they were when they last became stable or empty. The bytes are this model's
// own.

namespace crier::broker::kafka {

/// A commit: `group` reads `partition` on from `offset`.
struct OffsetRecord {
    std::string_view group; ///< Lies in the record.
    PartitionId partition = 0;
    Offset offset = 0;
    std::int32_t generation = -1;
    std::string_view metadata = {}; ///< Lies in the record.
    std::int32_t leader_epoch = -1;
    std::uint32_t topic_id = 0;
};

struct MemberRecord {
    std::string member_id;
    std::string instance_id; ///< Empty: a dynamic member.
    std::string client_id;
    Duration session_timeout{};
    Duration rebalance_timeout{};
    std::vector<std::string> protocols;
    std::vector<TopicId> topics;
    std::vector<PartitionId> assignment;
};

/// A group at the end of a rebalance.
struct GroupRecord {
    std::string group;
    std::int32_t generation = 0;
    std::string protocol;
    std::string leader;
    std::vector<MemberRecord> members; ///< Sorted by member id.
};

/// What became of a partition's records in a share group, as their leader wrote it last.
struct ShareStateRecord {
    std::string group;
    PartitionId partition = 0;
    std::int32_t leader_epoch = -1;
    ShareState state;
};

[[nodiscard]] Record write_record(const OffsetRecord& commit);
[[nodiscard]] Record write_record(const GroupRecord& group);
[[nodiscard]] Record write_record(const ConsumerGroup& group);
[[nodiscard]] Record write_record(const ShareGroup& group);
[[nodiscard]] Record write_record(const ShareStateRecord& kept);

/// These say that there is no such commit, and no such group, any more.
[[nodiscard]] Record write_offset_tombstone(std::string_view group, PartitionId partition);
[[nodiscard]] Record write_group_tombstone(std::string_view group);
[[nodiscard]] Record write_consumer_group_tombstone(std::string_view group);

/// Returns what the record says if it is of that kind; of a tombstone only the key.
[[nodiscard]] std::optional<OffsetRecord> read_offset_record(const Record& record);
[[nodiscard]] std::optional<GroupRecord> read_group_record(const Record& record);
[[nodiscard]] std::optional<ShareGroup> read_share_group_record(const Record& record);
[[nodiscard]] std::optional<ShareStateRecord> read_share_state_record(const Record& record);
[[nodiscard]] std::optional<ConsumerGroup> read_consumer_group_record(const Record& record);

} // namespace crier::broker::kafka
