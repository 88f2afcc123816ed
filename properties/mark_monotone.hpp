#pragma once

#include "properties/property.hpp"

// Marks of a leader that must not go back while it leads. Allowed: a new leader may begin with a
// lower one than the last had told, since followers learn of it late; what is gone from its log
// then is `offset-stability`'s matter.
//
// `hw-monotone`: the high watermark. Every leadership is an observation.
//
// `lso-monotone`: the last stable offset. When it goes back, a reader of committed records had been
// served up to an offset below which a transaction is open again. Every poll of such a reader that
// brings records of a partition with transactions is an observation; vacuous without.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_hw_monotone(Reading& reading,
                                                        const PropertyOptions& options);
[[nodiscard]] std::unique_ptr<Checker> make_lso_monotone(Reading& reading,
                                                         const PropertyOptions& options);

} // namespace crier::properties
