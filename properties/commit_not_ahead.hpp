#pragma once

#include "properties/property.hpp"

// Property `commit-not-ahead`: when a group's commit is stored, every record below it is finished
// for that service: its effect is durable, or it is parked, or discarded with a reason. It is
// judged at the commit; an effect that a power loss takes back later is the ledger's matter.
// Services whose effects are not counted are not judged.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_commit_not_ahead(Reading& reading,
                                                             const PropertyOptions& options);

} // namespace crier::properties
