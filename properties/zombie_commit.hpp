#pragma once

#include "properties/property.hpp"

// Property `zombie-commit`: a commit of an older generation is not accepted. Seen in the order of
// the group's own log: after a commit of one generation there is none of an earlier one. In the
// protocol of KIP-848 every member has an epoch of its own, and may commit in an earlier one what
// it has had since; there, after a commit by who was given the partition in one epoch there is none
// by who was given it in an earlier one. Commits without a member have no generation.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_zombie_commit(Reading& reading,
                                                          const PropertyOptions& options);

} // namespace crier::properties
