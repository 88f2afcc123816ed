#pragma once

#include "properties/property.hpp"

// Property `zombie-commit`: a commit of an older generation is not accepted. Seen in the order of
// the group's own log: after a commit of one generation there is none of an earlier one.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_zombie_commit(Reading& reading,
                                                          const PropertyOptions& options);

} // namespace crier::properties
