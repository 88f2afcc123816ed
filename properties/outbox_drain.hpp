#pragma once

#include "properties/property.hpp"

// Property `outbox-drain`: what stands in an outbox when all faults are over, or comes later, is
// published and marked within a time, 60 seconds unless the scenario says otherwise. Dead rows are
// somebody's to look at, and rows behind a dead one of their aggregate may wait for it. Not judged
// is what the run did not last long enough for: it goes on for longer than that while an event has
// no fate.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_outbox_drain(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
