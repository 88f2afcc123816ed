#pragma once

#include "properties/property.hpp"

// Property `inbox-atomic`: where a service has an inbox in the database of its effects, each of its
// effects is committed with the record that its message is done. Otherwise a crash between the two
// commits loses the effect, or repeats it. Services without an inbox are not judged; `effect-at-
// most-once` judges theirs.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_inbox_atomic(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
