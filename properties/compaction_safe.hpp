#pragma once

#include "properties/property.hpp"

// Compaction removed the latest record of a key, or a tombstone before its time: a record may go
// only when the log has a later one of its key, or when it is a tombstone that readers had
// delete.retention.ms to see. Seen at leaders, in the world's time. Allowed: what was never visible
// (records of aborted transactions), and wall clocks that are wrong by what the scenario lets them.
// Every record removed is an observation; vacuous when nothing was compacted.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_compaction_safe(Reading& reading,
                                                            const PropertyOptions& options);

} // namespace crier::properties
