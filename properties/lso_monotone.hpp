#pragma once

#include "properties/property.hpp"

// A leader's last stable offset went back while it led: a reader of committed records had been
// served up to an offset below which a transaction is open again. Allowed: a new leader may begin
// with a lower one than the last had, as with the high watermark. Every end of a transaction in a
// partition is an observation; vacuous without transactions.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_lso_monotone(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
