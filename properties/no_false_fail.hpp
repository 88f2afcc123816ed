#pragma once

#include "properties/property.hpp"

// Property `no-false-fail`: a record of which a producer said that it is not stored and never will
// be is not in the log. What it does not know is no lie, and what was sent anew is another sending:
// the record must be absent while every sending of it to the partition has failed.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_no_false_fail(Reading& reading,
                                                          const PropertyOptions& options);

} // namespace crier::properties
