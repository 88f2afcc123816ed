#pragma once

#include "properties/property.hpp"

// Property `effect-at-most-once`: no identity has more durable rows in an effects table than
// services that count their effects there. Rows that a power loss took back do not count. Judges
// what is in the table, whatever led to it, so it needs no accepted event.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_effect_at_most_once(Reading& reading,
                                                                const PropertyOptions& options);

} // namespace crier::properties
