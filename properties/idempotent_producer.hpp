#pragma once

#include "properties/property.hpp"

// A partition has a batch of an idempotent producer twice, or not at all between two others: within
// one epoch its batches must follow one another without gap or copy, and a later epoch must begin
// at sequence 0. Judged where the leader's log is for good. Allowed: where a producer begins that
// the partition has never seen (a leader takes any sequence of it), and how it goes on after a
// partition lost records. A leader forgets a producer after a day, which is as long as any run.
// Vacuous without idempotent producers.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_idempotent_producer(Reading& reading,
                                                                const PropertyOptions& options);

} // namespace crier::properties
