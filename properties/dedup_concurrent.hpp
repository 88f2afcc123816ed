#pragma once

#include "properties/property.hpp"

// Property `dedup-concurrent`: when copies of a message are in work at two processes of a service
// at once, one of them takes effect. What overlaps is told by the services as they begin an
// attempt, and by the store when an effect is durable. Copies that are handled one after the other
// are judged by `effect-at-most-once`; effects that a power loss took back do not count.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_dedup_concurrent(Reading& reading,
                                                             const PropertyOptions& options);

} // namespace crier::properties
