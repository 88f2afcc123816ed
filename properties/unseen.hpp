#pragma once

#include "properties/property.hpp"

// Property `unseen`: by the end every stored record of a channel was handed to some member of each
// group that reads it. What lay before the place where the group first began, and what was deleted
// or compacted, does not count; nor, behind all that the group was handed, what was stored in the
// run's last minute: a copy that nobody waits for may still be on its way then, as a request may
// take half a minute to be given up.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_unseen(Reading& reading,
                                                   const PropertyOptions& options);

} // namespace crier::properties
