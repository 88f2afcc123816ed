#pragma once

#include "properties/property.hpp"

// Property `reset-policy`: a member begins by its reset policy only where its group has committed
// nothing, or where what it has committed is no longer in the log.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_reset_policy(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
