#pragma once

#include "properties/property.hpp"

// Property `assigned-all`: when everything has come to rest, every partition of a channel has an
// owner in each group that reads it; share groups have no owners.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_assigned_all(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
