#pragma once

#include "properties/property.hpp"

// Property `key-affinity`: all events of one aggregate are stored with one record key; without a
// key they have none in common. The precondition of any order. The aggregate is that of the
// accepted row, so flows without a table are not judged.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_key_affinity(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
