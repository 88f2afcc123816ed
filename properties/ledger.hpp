#pragma once

#include "properties/property.hpp"

// Property `ledger`: every accepted event has one fate at every subscribing service whose effects
// are counted: effective, parked, or discarded with a reason. Says of what is missing how far it
// came. Does not judge how often an effect was had; that is `effect-at-most-once`.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_ledger_checker(const Topology& topology,
                                                           const PropertyOptions& options);

} // namespace crier::properties
