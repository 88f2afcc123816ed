#pragma once

#include "properties/property.hpp"

// A coordinator ended another transaction than the client meant: its request to commit or abort one
// was executed when the same producer had begun the next. A transaction is what the client began;
// the request carries which one it means, for the history alone. Allowed: nothing. With
// transaction.version 1 Kafka can do this when a request arrives late and the producer has gone on
// in the same epoch; with version 2 each transaction has its own (KIP-890). Vacuous when no client
// had a transaction ended.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_marker_identity(Reading& reading,
                                                            const PropertyOptions& options);

} // namespace crier::properties
