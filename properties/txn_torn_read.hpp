#pragma once

#include "properties/property.hpp"

// Property `txn-torn-read`: a reader of committed records that holds a partition from before a
// transaction's first record there until after its last one, and was handed any of them, was handed
// all. A poll may end in the midst of a transaction (Jepsen's "intermediate read"): the next goes
// on. Whoever began, or began anew, in the midst is not judged, nor is a compacted partition, nor
// one that has lost records where Kafka may, or was deleted with its topic.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_txn_torn_read(Reading& reading,
                                                          const PropertyOptions& options);

} // namespace crier::properties
