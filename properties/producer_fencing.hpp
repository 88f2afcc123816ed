#pragma once

#include "properties/property.hpp"

// A producer that was fenced wrote all the same: a partition took a transaction's records or its
// marker in an epoch below one that it had heard of, or in an epoch or of a producer id that a
// later owner of the transactional id had replaced. What counts of the latter is that the new owner
// was answered; by then all that the one before had begun is ended in every partition. Allowed:
// what follows after a partition lost records. (Without verification by the leaders, which no
// scenario can switch off, Kafka takes an old producer's batch in a partition that has not heard of
// the new one.) Vacuous without transactions.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_producer_fencing(Reading& reading,
                                                             const PropertyOptions& options);

} // namespace crier::properties
