#pragma once

#include "properties/property.hpp"

// Property `rebalance-storm`: a group whose processes live does not start more than `generations`
// generations `within` a time. A member that starts, ends, freezes or goes on begins a new count.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_rebalance_storm(Reading& reading,
                                                            const PropertyOptions& options);

} // namespace crier::properties
