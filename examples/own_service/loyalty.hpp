#pragma once

#include "scenarios/service.hpp"

namespace loyalty {

/// `is: loyalty`: gives customers points for their orders.
[[nodiscard]] crier::scenario::ServiceType service_type();

} // namespace loyalty
