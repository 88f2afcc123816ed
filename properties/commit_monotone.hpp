#pragma once

#include "properties/property.hpp"

// Property `commit-monotone`: a group's committed offset does not go back, unless the log lost
// records, a member took a position anew (by its reset policy, or a seek), or the group's offsets
// were lost or expired. Share groups commit nothing.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_commit_monotone(Reading& reading,
                                                            const PropertyOptions& options);

} // namespace crier::properties
