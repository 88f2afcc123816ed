#pragma once

#include "broker-model/events.hpp"
#include "sim/history.hpp"

#include <algorithm>
#include <cstdint>
#include <map>

// Commits for a partition name no topic id: what a group read of a topic that is deleted meanwhile
// it may still commit, and Kafka takes it for the topic made anew under the name.

namespace crier::properties {

class FormerCommits {
public:
    void read(const sim::Event& event) {
        if (event.kind == broker::events::partition_deleted.id) {
            ends_[event.operands[0]] = 0;
        } else if (event.kind == broker::events::stored.id) {
            const auto found = ends_.find(event.operands[0]);
            if (found != ends_.end())
                found->second = std::max(found->second, event.operands[1] + 1);
        }
    }

    /// Whether the commit is beyond what is stored since the partition was deleted, and so of the
    /// topic before.
    [[nodiscard]] bool has(const sim::Event& commit) const {
        const auto found = ends_.find(commit.operands[0]);
        return found != ends_.end() && commit.operands[2] > found->second;
    }

private:
    std::map<std::uint64_t, std::uint64_t> ends_; // by partition that was deleted
};

} // namespace crier::properties
