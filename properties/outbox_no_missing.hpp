#pragma once

#include "properties/property.hpp"

// Property `outbox-no-missing`: every event that a table accepted is stored in its flow's channel
// by the end. Events whose row a power loss took back need not be.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_outbox_no_missing(Reading& reading,
                                                              const PropertyOptions& options);

} // namespace crier::properties
