#pragma once

#include "broker-model/kafka/protocol.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

// One group of the new consumer protocol (KIP-848) as its coordinator holds it: what each member
// should have (the target of one epoch), what it has, and how it gets from here to there without
// ever sharing a partition with another. Some of its members may still speak the classic protocol.
// Plain data and rules; no messages, no time of its own. Source: Kafka ConsumerGroup,
// CurrentAssignmentBuilder.

namespace crier::broker::kafka {

/// What a member said that joined by the classic protocol. **Source**: Kafka
/// ConsumerGroupMemberMetadataValue.ClassicMemberMetadata.
struct ClassicMember {
    Duration session_timeout{};
    std::vector<std::string> protocols; ///< Assignors, the preferred first.
};

/// A member, its epoch, and its part of the group's partitions.
struct ConsumerGroupMember {
    enum class State : std::uint8_t {
        stable,     ///< Has what its target says.
        unrevoked,  ///< Has to give partitions back before it gets others.
        unreleased, ///< Waits for partitions that others have not given back.
    };

    std::string member_id;
    std::string instance_id; ///< Empty: a dynamic member.
    std::string client_id;
    Duration rebalance_timeout{};
    std::vector<TopicId> topics; ///< Sorted.
    std::string assignor;        ///< That it prefers; empty: none.
    std::int32_t epoch = 0;      ///< -2: a static member that is away.
    std::int32_t previous_epoch = 0;
    State state = State::stable;
    std::map<PartitionId, std::int32_t> assigned; ///< And since which epoch.
    std::vector<PartitionId> revoking;    ///< Taken from it, and not yet given back; sorted.
    std::optional<ClassicMember> classic; ///< None: it speaks the new protocol.

    // Not in the log:
    Instant session_end{};
    Instant revocation_end = Instant::max(); ///< It is thrown out if it has not given back by then.
    Instant join_end = Instant::max();       ///< Or, a classic one, has not joined again …
    Instant sync_end = Instant::max();       ///< … or asked for its part after that.

    [[nodiscard]] std::vector<PartitionId> partitions() const; ///< Of `assigned`; sorted.
    [[nodiscard]] Instant deadline() const; ///< When it is thrown out unless it is heard of.
};

inline constexpr std::int32_t left_for_good = -1;
inline constexpr std::int32_t left_for_a_while = -2; ///< Only static members.

struct ConsumerGroup {
    std::string name;
    std::int32_t epoch = 0;        ///< Moves with every change of members and subscriptions.
    std::int32_t target_epoch = 0; ///< The epoch that `target` is for.
    std::map<std::string, std::vector<PartitionId>, std::less<>> target; ///< By member; sorted.
    std::map<std::string, ConsumerGroupMember, std::less<>> members;
    Instant target_made{};         ///< Not in the log.
    std::uint64_t topics_seen = 0; ///< Version of the metadata looked at last; not in the log.
    std::uint32_t ids_given = 0;   ///< To classic members; not in the log.

    [[nodiscard]] ConsumerGroupMember* find(std::string_view member_id);
    [[nodiscard]] ConsumerGroupMember* find_instance(std::string_view instance_id);

    /// Returns the assignor that most members prefer; of equals the first by name.
    [[nodiscard]] std::string preferred_assignor() const;

    /// Shares out anew, for the group's epoch. **Requires** a known assignor's name.
    void make_target(const class TopicView& topics, std::string_view assignor);

    /// Whether the target shares out all partitions that there are.
    [[nodiscard]] bool fits(const class TopicView& topics) const;

    /// Takes the member one step towards its target. `owned` is what it says that it has, null: it
    /// does not say.
    void reconcile(ConsumerGroupMember& member, const std::vector<PartitionId>* owned);

    /// Whether all members speak the classic protocol, and there are some.
    [[nodiscard]] bool is_all_classic() const;

    /// Whether some of `protocols` is known to every classic member. **Source**: Kafka
    /// ConsumerGroup.supportsClassicProtocols.
    [[nodiscard]] bool accepts(const std::vector<std::string>& protocols) const;

    /// Whether a classic member has to join again: for a new target, because it has to give back,
    /// or because all that it waits for is free. **Source**:
    /// GroupMetadataManager.classicGroupHeartbeatToConsumerGroup.
    [[nodiscard]] bool must_rejoin(const ConsumerGroupMember& member) const;

    /// Returns why a heartbeat in that epoch is refused, if so. A member may come with its epoch
    /// before, if it has nothing beyond what it was given: the answer was lost. **Source**:
    /// GroupMetadataManager.throwIfConsumerGroupMemberEpochIsInvalid.
    [[nodiscard]] static ErrorCode check_epoch(const ConsumerGroupMember& member,
                                               std::int32_t epoch,
                                               const std::vector<PartitionId>* owned);

private:
    [[nodiscard]] bool is_free(PartitionId partition, const ConsumerGroupMember& taker) const;
};

/// Whether the new protocol's coordinator has an assignor of that name: `uniform` or `range`.
[[nodiscard]] bool is_server_assignor(std::string_view name);

} // namespace crier::broker::kafka
