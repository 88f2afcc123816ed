#pragma once

#include "properties/property.hpp"

// Property `revoke-before-assign`: a member gets a partition only after the one before has given it
// back, by its own callback, or was given up by the group: it left, its session ended, it was late
// for the rebalance, or another took its place. So it is with every protocol: an eager member gives
// back all before it joins again, a cooperative one what moves, and the coordinator of KIP-848
// waits for the word of the owner. A group whose log was lost knows nobody of before.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_revoke_before_assign(Reading& reading,
                                                                 const PropertyOptions& options);

} // namespace crier::properties
