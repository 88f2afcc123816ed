#pragma once

#include "broker-model/kafka/groups/group_records.hpp"
#include "sim/network.hpp"

#include <map>
#include <string>
#include <vector>

// One consumer group of the classic protocol as its coordinator holds it. Source: Kafka
// ClassicGroup.

namespace crier::broker::kafka {

/// A member of a group; lives in the coordinator.
struct GroupMemberState {
    MemberRecord record;
    std::vector<PartitionId> owned; ///< What it claims, for a sticky assignor.
    std::int32_t owned_generation = -1;
    sim::Reply<JoinGroupAnswer> join; ///< Waits for the join phase to end.
    sim::Reply<SyncGroupAnswer> sync; ///< Waits for the leader's assignment.
    Instant session_end{};
    bool is_new = false;     ///< Not yet part of any generation.
    bool has_synced = false; ///< In this generation.

    /// Whether it is heard of only through the request that waits here.
    [[nodiscard]] bool is_waiting() const {
        return (static_cast<bool>(join) && !is_new) || static_cast<bool>(sync);
    }

    /// Takes over what it says of itself when it joins.
    void take(JoinGroupRequest& request);

    /// Whether it keeps its place while it is away (KIP-345).
    [[nodiscard]] bool is_static() const { return !record.instance_id.empty(); }
};

struct Group {
    enum class Phase { empty, preparing, completing, stable };

    std::string name;
    Phase phase = Phase::empty;
    std::int32_t generation = 0;
    std::string protocol;
    std::string leader;
    std::map<std::string, GroupMemberState, std::less<>> members;
    std::map<std::string, Instant, std::less<>>
        pending;             ///< Ids given out, and until when they hold.
    Instant phase_end{};     ///< Of joining, or of syncing while somebody has not.
    bool is_initial = false; ///< The join phase of a group that was empty: it waits for company.
    bool has_newcomer = false;
    Duration initial_left{}; ///< What the initial delay may still be prolonged by.
    std::uint32_t ids_given = 0;
    std::int64_t empty_since = 0; ///< Wall nanoseconds of the coordinator, while it is empty.

    [[nodiscard]] GroupMemberState* find(std::string_view member_id);

    /// Returns the static member of that instance id, or null.
    [[nodiscard]] GroupMemberState* find_instance(std::string_view instance_id);

    /// Returns why whoever calls itself so is no member, if so. **Source**:
    /// ClassicGroup.validateMember.
    [[nodiscard]] ErrorCode check_member(std::string_view member_id, std::string_view instance_id);

    [[nodiscard]] Duration rebalance_timeout() const;
    [[nodiscard]] bool has_all_joined() const;
    [[nodiscard]] bool has_all_synced() const;

    /// Whether a member subscribes to the topic.
    [[nodiscard]] bool subscribes(TopicId topic) const;

    /// Whether there is room for that member. **Source**:
    /// GroupMetadataManager.acceptJoiningMember.
    [[nodiscard]] bool has_room(std::string_view member_id, std::size_t max_size) const;

    /// Whether some of `protocols` is known to every member.
    [[nodiscard]] bool accepts(const std::vector<std::string>& protocols) const;

    /// Returns the winner of the vote: of the protocols that all know, the one that most list
    /// first; of equals, the first by name. **Requires** members. **Source**:
    /// ClassicGroup.selectProtocol.
    [[nodiscard]] std::string vote() const;

    /// Returns the group as it is written to the log, with `assignments` (sorted by member id).
    [[nodiscard]] GroupRecord record(const std::vector<MemberAssignment>& assignments) const;

    /// Returns the group as it is written, with the assignments that it has.
    [[nodiscard]] GroupRecord record() const;
};

} // namespace crier::broker::kafka
