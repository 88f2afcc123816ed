#include "properties/holders.hpp"

#include "broker-model/events.hpp"
#include "sim/events.hpp"

namespace crier::properties {

void Holders::read(const sim::Event& event) {
    const auto is_it = [&event](const Holder& holder) { return holder.node == event.node; };
    switch (event.kind) {
    case broker::events::assigned.id: {
        std::vector<Holder>& holders = all_[{event.operands[1], event.operands[0]}];
        std::erase_if(holders, is_it);
        holders.push_back({event.node, event.operands[2], event.sequence, event.operands[3]});
        // What stayed with it is now of this generation, too.
        for (auto at = all_.lower_bound({event.operands[1], 0});
             at != all_.end() && at->first.first == event.operands[1]; ++at) {
            for (Holder& holder : at->second) {
                if (is_it(holder)) holder.generation = event.operands[2];
            }
        }
        break;
    }
    case broker::events::generation_started.id:
        generations_[event.operands[0]] = event.operands[1];
        break;
    case broker::events::member_gone.id: {
        const auto last = generations_.find(event.operands[0]);
        gone_[{event.operands[0], event.operands[1]}] =
            last == generations_.end() ? UINT64_MAX : last->second;
        break;
    }
    case broker::events::revoked.id:
    case broker::events::lost.id:
        std::erase_if(all_[{event.operands[1], event.operands[0]}], is_it);
        break;
    case sim::events::crashed.id:
    case sim::events::power_lost.id:
        for (auto& [place, holders] : all_)
            std::erase_if(holders, is_it);
        break;
    default: break;
    }
}

const std::vector<Holders::Holder>& Holders::of(const GroupPartition& place) const {
    static const std::vector<Holder> nobody;
    const auto found = all_.find(place);
    return found == all_.end() ? nobody : found->second;
}

} // namespace crier::properties
