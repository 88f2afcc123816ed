#pragma once

#include "properties/routes.hpp"
#include "sim/history.hpp"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

// Who believes to hold which partition of which group, as the members themselves say, and which
// members their groups have given up.

namespace crier::properties {

/// A group and one of its partitions, as texts.
using GroupPartition = std::pair<std::uint64_t, std::uint64_t>;

class Holders {
public:
    struct Holder {
        std::uint32_t node = 0;
        std::uint64_t generation = 0; ///< The last in which it is known to have been a member.
        std::uint64_t sequence = 0;   ///< Of the event by which it got it.
        std::uint64_t member = 0;     ///< Its id in the group.
    };

    /// Takes an event in. What a process held ends with it.
    void read(const sim::Event& event);

    /// Returns who holds it, in the order in which they got it.
    [[nodiscard]] const std::vector<Holder>& of(const GroupPartition& place) const;

    /// Returns all places that were ever held.
    [[nodiscard]] const std::map<GroupPartition, std::vector<Holder>>& all() const { return all_; }

    /// Whether the group has given up that member of `generation` or an earlier one. A member of
    /// the new protocol may come back under its id, and is then of a later one.
    [[nodiscard]] bool is_gone(std::uint64_t group, std::uint64_t member,
                               std::uint64_t generation) const {
        const auto gone = gone_.find({group, member});
        return gone != gone_.end() && generation <= gone->second;
    }

private:
    std::map<GroupPartition, std::vector<Holder>> all_;
    std::map<std::uint64_t, std::uint64_t> generations_; // the last of each group
    /// By group and member: the group's generation when it gave the member up.
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> gone_;
};

} // namespace crier::properties
