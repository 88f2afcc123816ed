#pragma once

#include "properties/property.hpp"

// Property `assignment-exclusive`: in one generation of a group a partition has one owner. That two
// members believe to be it in different generations is legal: the older one has not heard yet. What
// a member keeps through a rebalance counts for the last generation in which it was given
// something; `revoke-before-assign` is stricter.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_assignment_exclusive(Reading& reading,
                                                                 const PropertyOptions& options);

} // namespace crier::properties
