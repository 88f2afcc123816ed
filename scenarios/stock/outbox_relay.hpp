#pragma once

#include "scenarios/service.hpp"

namespace crier::scenario {

/// `is: outbox-relay`: publishes what stands in an outbox.
[[nodiscard]] ServiceType outbox_relay();

} // namespace crier::scenario
