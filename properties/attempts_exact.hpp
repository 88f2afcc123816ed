#pragma once

#include "properties/property.hpp"

// Property `attempts-exact`: a parked message had exactly its service's number of failed attempts.
// More are allowed only for what interrupts it: each end or pause of a process that attempted it,
// and each loss of its partition, can make one attempt uncounted; two owners at once can each make
// all of them. Of a share group the broker's count of deliveries stands for the number. A reason
// that begins with `not retryable` parks at once.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_attempts_exact(Reading& reading,
                                                           const PropertyOptions& options);

} // namespace crier::properties
