#pragma once

#include "properties/property.hpp"

// Cycles among committed transactions. `g1c`: no transaction depends on what it led to: T2 depends
// on T1 if T2's process was handed a record of T1 in time for T2, and all of them read committed
// records. With the order of writes in partitions as further edges there may be cycles, and `g0`,
// cycles by the order of writes alone, is always allowed: writes of transactions are not isolated
// in Kafka. Both are told as information.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_g0(Reading& reading, const PropertyOptions& options);

[[nodiscard]] std::unique_ptr<Checker> make_g1c(Reading& reading, const PropertyOptions& options);

} // namespace crier::properties
