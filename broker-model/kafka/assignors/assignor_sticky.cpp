#include "broker-model/kafka/assignors/assignors.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace crier::broker::kafka {

namespace {

bool contains(const std::vector<std::uint32_t>& ids, std::uint32_t id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

/// One round of sharing out. Members are ranks: their places by id.
class Round {
public:
    Round(const TopicView& topics, const std::vector<GroupMember>& members)
        : topics_(topics), members_(members), rank_to_member_(members.size()),
          partitions_(partition_order(topics, members)), shares_(members.size()) {
        for (std::size_t at = 0; at < members.size(); ++at)
            rank_to_member_[at] = at;
        std::sort(rank_to_member_.begin(), rank_to_member_.end(),
                  [&members](std::size_t left, std::size_t right) {
                      return members[left].member_id < members[right].member_id;
                  });
    }

    std::vector<MemberAssignment> operator()(bool withholds) {
        take_over_claims();
        if (has_equal_subscriptions()) {
            share_equally();
            if (withholds)
                withhold([this](std::size_t rank, PartitionId partition) {
                    const auto claim = claims_.find(partition);
                    return claim == claims_.end() || is_accepted(claim->second, rank);
                });
        } else {
            share_unequally();
            if (withholds)
                withhold([this](std::size_t rank, PartitionId partition) {
                    return owns(rank, partition) || !is_owned(partition);
                });
        }
        std::vector<MemberAssignment> assignments(members_.size());
        for (std::size_t rank = 0; rank < shares_.size(); ++rank) {
            MemberAssignment& assignment = assignments[rank_to_member_[rank]];
            assignment.member_id = member(rank).member_id;
            assignment.partitions = std::move(shares_[rank]);
            std::sort(assignment.partitions.begin(), assignment.partitions.end());
        }
        return assignments;
    }

private:
    struct Claim {
        std::int32_t generation = -1;
        std::size_t rank = 0;
        bool is_disputed = false; // by another of the same generation
    };

    [[nodiscard]] const GroupMember& member(std::size_t rank) const {
        return members_[rank_to_member_[rank]];
    }
    [[nodiscard]] bool subscribes(std::size_t rank, PartitionId partition) const {
        return contains(member(rank).topics, topics_.cluster().info(partition).topic);
    }
    [[nodiscard]] bool is_there(PartitionId partition) const {
        const PartitionInfo& info = topics_.cluster().info(partition);
        return info.index < topics_.partition_count(info.topic);
    }
    [[nodiscard]] bool has_equal_subscriptions() const {
        return std::all_of(members_.begin(), members_.end(), [this](const GroupMember& other) {
            return other.topics == members_.front().topics;
        });
    }

    /// Gives everybody what he owns, as far as the claims agree.
    void take_over_claims() {
        for (std::size_t rank = 0; rank < shares_.size(); ++rank) {
            const std::int32_t generation = member(rank).owned_generation;
            for (const PartitionId partition : member(rank).owned) {
                if (!subscribes(rank, partition) || !is_there(partition)) continue;
                const auto [place, is_first] =
                    claims_.try_emplace(partition, Claim{generation, rank, false});
                if (is_first || generation < place->second.generation) continue;
                if (generation == place->second.generation) {
                    place->second.is_disputed = true;
                } else {
                    place->second = Claim{generation, rank, false};
                }
            }
        }
        for (const auto& [partition, claim] : claims_) {
            if (!claim.is_disputed) shares_[claim.rank].push_back(partition);
        }
    }

    [[nodiscard]] static bool is_accepted(const Claim& claim, std::size_t rank) {
        return !claim.is_disputed && claim.rank == rank;
    }
    [[nodiscard]] bool owns(std::size_t rank, PartitionId partition) const {
        return contains(member(rank).owned, partition);
    }
    [[nodiscard]] bool is_owned(PartitionId partition) const {
        return std::any_of(members_.begin(), members_.end(), [partition](const GroupMember& other) {
            return contains(other.owned, partition);
        });
    }

    /// Takes from the shares what does not stay with its owner and is not free. Source:
    /// CooperativeStickyAssignor.adjustAssignment: what counts as an owner differs between the two
    /// ways of sharing.
    template <class MayKeep>
    void withhold(MayKeep may_keep) {
        for (std::size_t rank = 0; rank < shares_.size(); ++rank) {
            std::erase_if(shares_[rank], [&may_keep, rank](PartitionId partition) {
                return !may_keep(rank, partition);
            });
        }
    }

    [[nodiscard]] std::vector<PartitionId> unassigned() const {
        std::set<PartitionId> taken;
        for (const std::vector<PartitionId>& share : shares_)
            taken.insert(share.begin(), share.end());
        std::vector<PartitionId> left;
        for (const PartitionId partition : partitions_) {
            if (!taken.contains(partition)) left.push_back(partition);
        }
        return left;
    }

    /// Source: ConstrainedAssignmentBuilder: quotas first, then what was owned.
    void share_equally() {
        const std::size_t least = partitions_.size() / shares_.size();
        std::size_t more = partitions_.size() % shares_.size(); // who may have one more
        std::vector<std::size_t> below;                         // the least, by rank
        std::vector<std::size_t> at_least;
        for (std::size_t rank = 0; rank < shares_.size(); ++rank) {
            std::vector<PartitionId>& share = shares_[rank];
            if (share.size() < least) {
                below.push_back(rank);
            } else if (share.size() > least && more > 0) {
                share.resize(least + 1);
                --more;
            } else {
                share.resize(least);
                at_least.push_back(rank);
            }
        }
        std::size_t next = 0;
        for (const PartitionId partition : unassigned()) {
            if (below.empty()) {
                shares_[at_least.front()].push_back(partition);
                at_least.erase(at_least.begin());
                continue;
            }
            if (next >= below.size()) next = 0;
            std::vector<PartitionId>& share = shares_[below[next]];
            share.push_back(partition);
            if (share.size() < least) {
                ++next;
                continue;
            }
            at_least.push_back(below[next]);
            below.erase(below.begin() + static_cast<std::ptrdiff_t>(next));
        }
    }

    /// Returns the subscriber with the fewest partitions, of equals the first by id.
    [[nodiscard]] std::size_t least_loaded(PartitionId partition) const {
        std::size_t best = shares_.size();
        for (std::size_t rank = 0; rank < shares_.size(); ++rank) {
            if (!subscribes(rank, partition)) continue;
            if (best == shares_.size() || shares_[rank].size() < shares_[best].size()) best = rank;
        }
        return best;
    }

    [[nodiscard]] std::size_t takers(PartitionId partition) const {
        std::size_t count = 0;
        for (std::size_t rank = 0; rank < shares_.size(); ++rank)
            count += subscribes(rank, partition) ? 1 : 0;
        return count;
    }

    /// Source: GeneralAssignmentBuilder: who can take least is served first; then partitions move
    /// to emptier members while that makes the shares more even.
    void share_unequally() {
        std::vector<PartitionId> left = unassigned();
        sort_by_takers(left);
        for (const PartitionId partition : left)
            shares_[least_loaded(partition)].push_back(partition);
        std::vector<PartitionId> all = partitions_;
        sort_by_takers(all);
        for (bool moved = true; moved;) {
            moved = false;
            for (const PartitionId partition : all)
                moved = make_more_even(partition) || moved;
        }
    }

    void sort_by_takers(std::vector<PartitionId>& partitions) const {
        std::stable_sort(
            partitions.begin(), partitions.end(),
            [this](PartitionId one, PartitionId other) { return takers(one) < takers(other); });
    }

    /// Moves the partition to its emptiest subscriber if that has two less. **Returns** whether.
    bool make_more_even(PartitionId partition) {
        const std::size_t to = least_loaded(partition);
        for (std::vector<PartitionId>& share : shares_) {
            const auto place = std::find(share.begin(), share.end(), partition);
            if (place == share.end()) continue;
            if (shares_[to].size() + 1 >= share.size()) return false;
            share.erase(place);
            shares_[to].push_back(partition);
            return true;
        }
        return false;
    }

    const TopicView& topics_;
    const std::vector<GroupMember>& members_;
    std::vector<std::size_t> rank_to_member_;
    std::vector<PartitionId> partitions_;          // of all topics subscribed to
    std::map<PartitionId, Claim> claims_;          // to what is subscribed
    std::vector<std::vector<PartitionId>> shares_; // by rank
};

} // namespace

std::vector<MemberAssignment> assign_sticky(const TopicView& topics,
                                            const std::vector<GroupMember>& members) {
    Round round(topics, members);
    return round(false);
}

std::vector<MemberAssignment> assign_cooperative_sticky(const TopicView& topics,
                                                        const std::vector<GroupMember>& members) {
    Round round(topics, members);
    return round(true);
}

} // namespace crier::broker::kafka
