#pragma once

#include "broker-model/events.hpp"
#include "properties/holders.hpp"

// Where a member reads, and what ends its session there.

namespace crier::properties {

/// A member's node, and what it reads.
using ReadingPlace = std::pair<std::uint32_t, GroupPartition>;

/// Returns the place of an event that a member tells of a group and a partition.
[[nodiscard]] inline ReadingPlace reading_place(const sim::Event& event) {
    return {event.node, {event.operands[1], event.operands[0]}};
}

/// Whether what the member is handed there next need not follow what it was handed before.
[[nodiscard]] inline bool ends_session(const sim::Event& event) {
    switch (event.kind) {
    case broker::events::assigned.id:
    case broker::events::revoked.id:
    case broker::events::lost.id:
    case broker::events::position_reset.id:
    case broker::events::position_sought.id: return true;
    default: return false;
    }
}

} // namespace crier::properties
