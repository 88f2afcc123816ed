#pragma once

#include "properties/property.hpp"

// Properties of the order in which one producer's records of a partition are stored, as it was
// told: `nonmonotonic-send`, those of different transactions, or of none, lie in the order of their
// sending; `int-nonmonotonic-send`, those of one transaction do. Judged for producers that promise
// it: idempotent ones, and those with one request in flight; not where records were lost and may
// be, nor in a partition that was deleted with its topic. `int-send-skip` is information: between
// two records of a transaction lies another's, which Kafka always allows, as writes of transactions
// are not isolated.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_nonmonotonic_send(Reading& reading,
                                                              const PropertyOptions& options);

[[nodiscard]] std::unique_ptr<Checker> make_int_nonmonotonic_send(Reading& reading,
                                                                  const PropertyOptions& options);

[[nodiscard]] std::unique_ptr<Checker> make_int_send_skip(Reading& reading,
                                                          const PropertyOptions& options);

} // namespace crier::properties
