#pragma once

#include "properties/property.hpp"

// Property `unseen`: by the end every stored record of a channel was handed to some member of each
// group that reads it. What lay before the place where the group first began, and what was deleted
// or compacted, does not count.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_unseen(Reading& reading,
                                                   const PropertyOptions& options);

} // namespace crier::properties
