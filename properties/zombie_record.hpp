#pragma once

#include "properties/property.hpp"

// Property `zombie-record`: a message that is dead-lettered for a service is not recorded as done
// in that service's inbox, before or after: it stands in the error queue, and whoever sends it
// again from there finds that it was handled.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_zombie_record(Reading& reading,
                                                          const PropertyOptions& options);

} // namespace crier::properties
