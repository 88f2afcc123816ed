#pragma once

#include "scenarios/service.hpp"

namespace crier::scenario {

/// `is: outbox-service`: an outbox-producer and its outbox-relay in one process.
[[nodiscard]] ServiceType outbox_service();

} // namespace crier::scenario
