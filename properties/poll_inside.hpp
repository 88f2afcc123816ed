#pragma once

#include "properties/property.hpp"

// Properties of one poll, that is of the records of a partition that are handed out at once:
// `int-nonmonotonic-poll`, their offsets ascend; `int-poll-skip`, none is left out that was stored.
// Gaps without records (deleted, aborted, or never any) are none. A compacted partition is not
// judged, nor one that has lost records where Kafka may, or was deleted with its topic.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_int_nonmonotonic_poll(Reading& reading,
                                                                  const PropertyOptions& options);

[[nodiscard]] std::unique_ptr<Checker> make_int_poll_skip(Reading& reading,
                                                          const PropertyOptions& options);

} // namespace crier::properties
