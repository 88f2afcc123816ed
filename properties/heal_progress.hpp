#pragma once

#include "properties/property.hpp"

// Property `heal-progress`: once every fault is over, something moves in the ledger at least every
// `within`, as long as units are open.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_heal_progress(Reading& reading,
                                                          const PropertyOptions& options);

} // namespace crier::properties
