#pragma once

#include "properties/property.hpp"

// Property `reset-policy`: a member begins by its reset policy only where its group has committed
// nothing, or where what it has committed is no longer in the log or has expired; and then by no
// other policy than its own, except after a truncation, when it goes on where the logs part.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_reset_policy(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
