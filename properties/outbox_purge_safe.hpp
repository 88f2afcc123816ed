#pragma once

#include "properties/property.hpp"

// Property `outbox-purge-safe`: where published rows stay in an outbox until somebody purges them,
// only rows go that are marked as published, or dead. A row may be replaced by another of its
// message. Where rows are removed as soon as they are published, that is judged by `outbox-mark-
// after-publish`.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_outbox_purge_safe(Reading& reading,
                                                              const PropertyOptions& options);

} // namespace crier::properties
