#pragma once

#include "properties/property.hpp"

// Property `inconsistent-offsets`: an offset of a partition has one record, whoever tells of it:
// the log, a producer that was told where its record is, a reader that was handed it. Where Kafka
// may lose records (one replica in sync, unclean elections), what was lost and comes anew is not
// judged, nor what comes after a partition was deleted with its topic; nor is the word of a leader
// that waited for no follower (acks other than all).

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_inconsistent_offsets(Reading& reading,
                                                                 const PropertyOptions& options);

} // namespace crier::properties
