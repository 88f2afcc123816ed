#pragma once

#include "properties/property.hpp"

// Property `outbox-lag`: from the moment when an event is accepted by a table until it is first
// stored in its channel it takes at most so long, 60 seconds unless the scenario says otherwise.
// The remark tells the longest lag. What is never stored is judged by `outbox-no-missing`.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_outbox_lag(Reading& reading,
                                                       const PropertyOptions& options);

} // namespace crier::properties
