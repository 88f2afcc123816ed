#pragma once

#include "properties/property.hpp"

// Property `outbox-no-phantom`: nothing is stored in a flow's channel without its accepted row
// being durable at that moment, and no row is lost once its event is stored. Channels that also
// take events without a table are not judged, since there anything may be direct.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_outbox_no_phantom(Reading& reading,
                                                              const PropertyOptions& options);

} // namespace crier::properties
