#pragma once

#include "properties/property.hpp"

// Property `epoch-single-leader`: a leader epoch of a partition has one leader, and epochs only
// grow.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_epoch_single_leader(Reading& reading,
                                                                const PropertyOptions& options);

} // namespace crier::properties
