#pragma once

#include "properties/property.hpp"

// A transaction was torn: some of what a client wrote in it, records of any partition or a group's
// offsets, became visible, and some was aborted or has no verdict when everything has come to rest.
// A transaction is what the client began and ended, which can be more or less than what the
// coordinator took for one. Allowed: what a partition lost before its verdict (`records-lost`: with
// one replica in sync or an unclean election; elsewhere `offset-stability` says so). With
// transaction.version 1 Kafka can tear a transaction when an end request arrives late (KIP-890).
// Vacuous when no transaction ended.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_txn_atomic(Reading& reading,
                                                       const PropertyOptions& options);

} // namespace crier::properties
