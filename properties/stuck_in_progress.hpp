#pragma once

#include "properties/property.hpp"

// Property `stuck-in-progress`: a message that somebody has in work (a claimed row of an outbox, a
// row of an inbox that says `working`) does not stay so for long after its lease has ended or,
// without a lease, its owner has died: 60 seconds unless the scenario says otherwise. Not judged is
// what the run did not last long enough for, and rows of an outbox behind a dead one of their
// aggregate.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_stuck_in_progress(Reading& reading,
                                                              const PropertyOptions& options);

} // namespace crier::properties
