#pragma once

#include "properties/property.hpp"

// Property `outbox-mark-after-publish`: a row of an outbox counts as published only when the broker
// has its message: it is stored in a channel of the outbox, or the producer was told so. A row
// counts as published when it is marked so or, where published rows do not stay, when it is
// removed. Dead rows may be removed, and a row may be replaced by another of its message.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker>
make_outbox_mark_after_publish(Reading& reading, const PropertyOptions& options);

} // namespace crier::properties
