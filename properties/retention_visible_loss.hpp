#pragma once

#include "properties/property.hpp"

// Records that a group had not read expired, and its reader went on behind them without being told:
// Kafka must say that the position is out of range, and the reader take one by its reset policy
// (`position-reset`), or the application seek. Only that tells "expired" from "lost". Allowed: that
// records expire unread, that a reader is told; compaction, which takes records without a word.
// Every time that a group goes on behind deleted records that it has not read is an observation.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_retention_visible_loss(Reading& reading,
                                                                   const PropertyOptions& options);

} // namespace crier::properties
