#pragma once

#include "properties/property.hpp"

// Property `phantom-read`: a reader is handed only what lies in the log at that offset, and what
// some producer sent to that partition. Records without an identity are judged by their offset.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_phantom_read(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
