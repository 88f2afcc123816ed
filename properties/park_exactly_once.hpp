#pragma once

#include "properties/property.hpp"

// Property `park-exactly-once`: a service's dead letters of one message all have one dead-letter
// id. Copies with the same id are one parking that was delivered at least once.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_park_exactly_once(Reading& reading,
                                                              const PropertyOptions& options);

} // namespace crier::properties
