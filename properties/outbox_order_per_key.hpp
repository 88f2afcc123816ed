#pragma once

#include "properties/property.hpp"

// Property `outbox-order-per-key`: per aggregate, the first stored copies come in the order in
// which the events were accepted (rows became durable). Flows without a table have no other order
// than the stored one and are not judged.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_outbox_order_per_key(Reading& reading,
                                                                 const PropertyOptions& options);

} // namespace crier::properties
