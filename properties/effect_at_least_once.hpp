#pragma once

#include "properties/property.hpp"

// Property `effect-at-least-once`: by the end, every accepted event has a durable effect at every
// subscribing service whose effects are counted, unless it was parked or discarded with a reason
// there.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_effect_at_least_once(Reading& reading,
                                                                 const PropertyOptions& options);

} // namespace crier::properties
