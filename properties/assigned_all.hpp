#pragma once

#include "properties/property.hpp"

// Property `assigned-all`: when everything has come to rest, every partition of a channel has an
// owner in each group that reads it. Not judged while the group may still wait for a member that
// died or froze, until its session is over and the rebalance done, nor what was given back for a
// rebalance that is still under way; nor for share groups, whose partitions have no owners.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_assigned_all(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
