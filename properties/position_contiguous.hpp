#pragma once

#include "properties/property.hpp"

// Property `position-contiguous`: a member reads on from where its last delivery ended, from where
// it went, or from what its group had committed when it was given the partition. What no reader
// gets may lie between: markers and aborted records, what was deleted or compacted. Deliveries from
// below the commit are `rejoin-dup-bound`'s matter. A lost log begins everything anew.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_position_contiguous(Reading& reading,
                                                                const PropertyOptions& options);

} // namespace crier::properties
