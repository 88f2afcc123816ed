#pragma once

#include "properties/property.hpp"

// Property `outbox-single-relay`: a row of an outbox, or the lead over its relays, goes from one
// relay to another only when it was given back or its lease has ended, and with a new epoch where
// there are epochs; nobody moves the cursor but who leads; and a relay sends only what it holds or
// held once. What it has in hand when its lease ends it may still send, which repeats messages:
// `outbox-dup-bound`.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_outbox_single_relay(Reading& reading,
                                                                const PropertyOptions& options);

} // namespace crier::properties
