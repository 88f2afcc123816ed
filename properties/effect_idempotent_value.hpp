#pragma once

#include "properties/property.hpp"

// Property `effect-idempotent-value`: what a service has done in the end is the same as if no
// message had been handed to it twice. The checker sees what was handed out again; the comparison
// is the runner's (`scenarios/twin.hpp`), which runs the same seed again without any fault and
// compares the rows of the tables of effects, column `value` included.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_effect_idempotent_value(Reading& reading,
                                                                    const PropertyOptions& options);

} // namespace crier::properties
