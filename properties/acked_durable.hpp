#pragma once

#include "properties/property.hpp"

// A producer was told that a record is stored, and it is not in the log for good, or is lost from
// it. Judged for producers that ask for all replicas (acks=all) in channels where Kafka promises
// it: two replicas in sync at least, and no unclean elections. Allowed: what acks=1 and acks=0 may
// lose, and what retention, compaction or a request deletes afterwards;
// a partition that was deleted with its topic is not judged from then on. Within the scenario's
// budget no fault excuses a loss. Vacuous when no such producer was told anything.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_acked_durable(Reading& reading,
                                                          const PropertyOptions& options);

} // namespace crier::properties
