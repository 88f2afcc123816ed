#pragma once

#include "properties/property.hpp"

// Property `outbox-gap-skip`: no row appears in an outbox at a position that the cursor of its
// relays has passed, for nobody looks there again: positions are handed out in another order than
// transactions commit. The cursor is that of the row that says who leads; outboxes without one are
// not judged.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_outbox_gap_skip(Reading& reading,
                                                            const PropertyOptions& options);

} // namespace crier::properties
