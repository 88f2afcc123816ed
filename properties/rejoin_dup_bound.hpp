#pragma once

#include "properties/property.hpp"

// Property `rejoin-dup-bound`: when a partition goes from one member to another, no more records
// are handed out again than were handed out and not committed at that moment. What the new member
// goes back to by itself (a seek, a reset) is not counted, nor what follows the loss of the group's
// commits or of the partition's records.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_rejoin_dup_bound(Reading& reading,
                                                             const PropertyOptions& options);

} // namespace crier::properties
