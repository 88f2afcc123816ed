#pragma once

#include "properties/property.hpp"

// Property `per-key-effect-order`: the first durable effects of one aggregate come in the order in
// which its events were accepted. `skip-parked`: a parked event leaves the order. `strict`: nothing
// takes effect before everything accepted earlier has, so a parked event holds its successors back;
// discarded ones do not. `none` judges nothing. Events without an aggregate are not judged.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_per_key_effect_order(Reading& reading,
                                                                 const PropertyOptions& options);

} // namespace crier::properties
