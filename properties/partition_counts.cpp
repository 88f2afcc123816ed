#include "properties/partition_counts.hpp"

#include "broker-model/events.hpp"
#include "sim/hash.hpp"

#include <algorithm>

namespace crier::properties {

void PartitionCounts::read(const sim::Event& event) {
    switch (event.kind) {
    case broker::events::topic_created.id: counts_[event.operands[0]] = event.operands[1]; break;
    case broker::events::partitions_added.id: counts_[event.operands[0]] = event.operands[2]; break;
    default: break;
    }
}

std::span<const std::uint64_t> PartitionCounts::of(std::size_t channel) const {
    const Channel& its = topology_.channels[channel];
    const std::span<const std::uint64_t> all = its.partition_texts;
    const auto changed = counts_.find(sim::hash_text(its.name));
    if (changed == counts_.end()) return all.first(all.size() - its.partitions_later);
    return all.first(std::min(changed->second, all.size()));
}

} // namespace crier::properties
