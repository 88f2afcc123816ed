#pragma once

#include "properties/property.hpp"

// Property `duplicate-record`: no message is stored twice in a partition, unless a process died or
// went on after a pause in between, after which an application sends again what it cannot know
// about; or the partition was deleted with its topic. Retries of a producer that is not idempotent
// may be stored twice, and are not judged.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_duplicate_record(Reading& reading,
                                                             const PropertyOptions& options);

} // namespace crier::properties
