#pragma once

#include "properties/property.hpp"

// Property `read-metrics`, information, never violated: how far groups were behind. The lag of a
// read is how long the oldest record that it brings had been stored (Jepsen's realtime lag, by the
// truth of the log); the most records that were stored and not yet handed to a group; how often
// records were handed to one group.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_read_metrics(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
