#pragma once

#include "properties/property.hpp"

// Property `outbox-dup-bound`: the relays of an outbox send a row once, and once more only for what
// can have hit it: a sending that failed or whose outcome nobody knows, a sender that died or
// froze, a lease that ended and went to another relay, a redrive. Resending by the Kafka client is
// not counted. Outboxes whose relays hold no leases in the database are not judged.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_outbox_dup_bound(Reading& reading,
                                                             const PropertyOptions& options);

} // namespace crier::properties
