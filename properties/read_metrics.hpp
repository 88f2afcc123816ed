#pragma once

#include "properties/property.hpp"

// Property `read-metrics`, information, never violated: how far groups were behind. The longest
// time from stored to handed out, of the records that were handed out (Jepsen's realtime lag, by
// the truth of the log); the most records that were stored and not yet handed to a group; how often
// records were handed to one group; and what was still open at the end of the run, since a group
// that stops reading has no lag. Records that are lost, deleted or compacted are open to nobody. Of
// a group that never read of a partition nothing is told.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_read_metrics(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
