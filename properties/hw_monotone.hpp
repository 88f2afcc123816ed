#pragma once

#include "properties/property.hpp"

// A leader's high watermark went back while it led. Allowed: a new leader may begin with a lower
// one than the last had told, since followers learn of it late; what is gone from its log then is
// `offset-stability`'s matter. Every leadership is an observation.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_hw_monotone(Reading& reading,
                                                        const PropertyOptions& options);

} // namespace crier::properties
