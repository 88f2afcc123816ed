#pragma once

#include "scenarios/service.hpp"

namespace crier::scenario {

/// `is: copier`: copies a channel to another, in transactions.
[[nodiscard]] ServiceType copier();

} // namespace crier::scenario
