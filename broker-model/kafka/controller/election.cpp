#include "broker-model/kafka/controller/election.hpp"

#include <algorithm>
#include <utility>

namespace crier::broker::kafka {

namespace {

bool contains(const std::vector<BrokerId>& brokers, BrokerId broker) {
    return std::find(brokers.begin(), brokers.end(), broker) != brokers.end();
}

BrokerId first_of(const PartitionState& state, const std::vector<BrokerId>& members,
                  const IsLive& is_live) {
    for (const BrokerId replica : state.replicas) {
        if (is_live(replica) && contains(members, replica)) return replica;
    }
    return 0;
}

/// Chooses a leader, and makes it in sync if it was not.
BrokerId choose(PartitionState& state, const ElectionRules& rules, const IsLive& is_live) {
    const std::vector<BrokerId>& members = state.isr.empty() ? state.elr : state.isr;
    const bool stays =
        state.leader != 0 && is_live(state.leader) && contains(members, state.leader);
    BrokerId leader = stays ? state.leader : first_of(state, members, is_live);
    // The last leader known is taken when nobody else can have everything: an unclean choice.
    if (leader == 0 && members.empty() && state.last_known_leader != 0 &&
        is_live(state.last_known_leader)) {
        leader = state.last_known_leader;
    }
    if (leader == 0 && rules.unclean) leader = first_of(state, state.replicas, is_live);
    if (leader != 0 && !contains(state.isr, leader)) {
        const std::vector<BrokerId> before = std::exchange(state.isr, {leader});
        note_eligible(state, before, rules);
    }
    return leader;
}

} // namespace

void note_eligible(PartitionState& state, const std::vector<BrokerId>& before,
                   const ElectionRules& rules) {
    if (!rules.eligible_leader_replicas) return;
    if (state.isr.size() >= static_cast<std::size_t>(rules.min_insync)) {
        state.elr.clear();
        state.last_known_leader = 0;
        return;
    }
    state.elr.insert(state.elr.end(), before.begin(), before.end());
    std::sort(state.elr.begin(), state.elr.end());
    state.elr.erase(std::unique(state.elr.begin(), state.elr.end()), state.elr.end());
    std::erase_if(state.elr, [&state](BrokerId broker) { return contains(state.isr, broker); });
}

bool elect(PartitionState& state, BrokerId gone, const ElectionRules& rules,
           const IsLive& is_live) {
    const PartitionState before = state;
    const bool may_empty = rules.eligible_leader_replicas;
    if (gone != 0 && contains(state.isr, gone) && (state.isr.size() > 1 || may_empty)) {
        std::erase(state.isr, gone);
        note_eligible(state, before.isr, rules);
    }
    if (state.leader == gone) state.leader = 0;
    state.leader = choose(state, rules, is_live);
    if (state.leader == 0 && before.leader != 0 && may_empty) {
        state.last_known_leader = before.leader;
    }
    const bool has_moved = state.leader != before.leader;
    const bool changed = has_moved || state.isr != before.isr || state.elr != before.elr;
    if (has_moved) ++state.leader_epoch;
    if (changed) ++state.partition_epoch;
    return changed;
}

bool elect_preferred(PartitionState& state, const IsLive& is_live) {
    const BrokerId preferred = state.replicas.front();
    if (state.leader == preferred || !is_live(preferred) || !contains(state.isr, preferred)) {
        return false;
    }
    state.leader = preferred;
    ++state.leader_epoch;
    ++state.partition_epoch;
    return true;
}

bool forget_unclean(PartitionState& state, BrokerId broker, const ElectionRules& rules) {
    if (!rules.eligible_leader_replicas) return false;
    return std::erase(state.elr, broker) + std::erase(state.isr, broker) > 0;
}

} // namespace crier::broker::kafka
