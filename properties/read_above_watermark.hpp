#pragma once

#include "properties/property.hpp"

// Property `read-above-watermark`: a reader is handed only what is stored for good, below the high
// watermark.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_read_above_watermark(Reading& reading,
                                                                 const PropertyOptions& options);

} // namespace crier::properties
