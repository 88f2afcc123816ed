#pragma once

#include "properties/property.hpp"

// Property `nonmonotonic-poll`: while a member holds a partition, what it is handed goes on, never
// back. A new assignment, a new process, a reset or a seek begins anew.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_nonmonotonic_poll(Reading& reading,
                                                              const PropertyOptions& options);

} // namespace crier::properties
