#pragma once

#include "scenarios/service.hpp"

namespace crier::scenario {

/// `is: consumer`: writes one row per message, with inbox, retry and dead letters as the options
/// say.
[[nodiscard]] ServiceType consumer();

} // namespace crier::scenario
