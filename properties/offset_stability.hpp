#pragma once

#include "properties/property.hpp"

// Property `offset-stability`: what was stored for good stays at its offset. A channel for which
// Kafka promises less (one replica, one that suffices, unclean election) is not judged; a partition
// that goes with its topic is nobody's loss.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_offset_stability(Reading& reading,
                                                             const PropertyOptions& options);

} // namespace crier::properties
