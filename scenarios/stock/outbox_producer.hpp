#pragma once

#include "scenarios/service.hpp"

namespace crier::scenario {

/// `is: outbox-producer`: takes orders, writes each with its event in one transaction.
[[nodiscard]] ServiceType outbox_producer();

} // namespace crier::scenario
