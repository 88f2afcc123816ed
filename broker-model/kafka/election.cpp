#include "broker-model/kafka/election.hpp"

#include <algorithm>

namespace crier::broker::kafka {

bool elect(PartitionState& state, BrokerId gone, bool unclean,
           const std::function<bool(BrokerId)>& is_live) {
    const auto in_isr = [&state](BrokerId broker) {
        return std::find(state.isr.begin(), state.isr.end(), broker) != state.isr.end();
    };
    bool changed = false;
    if (gone != 0 && in_isr(gone) && state.isr.size() > 1) {
        std::erase(state.isr, gone);
        changed = true;
    }
    BrokerId leader = 0;
    if (state.leader != 0 && state.leader != gone && is_live(state.leader) &&
        in_isr(state.leader)) {
        leader = state.leader;
    }
    for (const BrokerId replica : state.replicas) {
        if (leader == 0 && is_live(replica) && in_isr(replica)) leader = replica;
    }
    for (const BrokerId replica : state.replicas) {
        if (leader != 0 || !unclean || !is_live(replica)) continue;
        leader = replica;
        state.isr = {replica};
        changed = true;
    }
    if (leader != state.leader) {
        state.leader = leader;
        ++state.leader_epoch;
        changed = true;
    }
    if (changed) ++state.partition_epoch;
    return changed;
}

} // namespace crier::broker::kafka
