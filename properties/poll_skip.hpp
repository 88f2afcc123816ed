#pragma once

#include "properties/property.hpp"

// Property `poll-skip`: while a member holds a partition, it is handed every stored record in turn.
// Gaps without records (deleted, or never any) are none, and a
// compacted partition is not judged.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_poll_skip(Reading& reading,
                                                      const PropertyOptions& options);

} // namespace crier::properties
