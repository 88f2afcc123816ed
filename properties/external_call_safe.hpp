#pragma once

#include "properties/property.hpp"

// Property `external-call-safe`: when a service calls somebody outside its database for a message
// more than once, it does so under one idempotency key, so that whom it calls may know the
// repetition. The calls are told by the services, for nobody else sees them.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_external_call_safe(Reading& reading,
                                                               const PropertyOptions& options);

} // namespace crier::properties
