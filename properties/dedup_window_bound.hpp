#pragma once

#include "properties/property.hpp"

// Property `dedup-window-bound`: while an inbox promises to remember a message, no copy of it takes
// effect; and no copy arrives later than that, for nothing would stop it. The window is what the
// service says of its inbox, and begins when the record is durable; wall clocks may be wrong by as
// much as the scenario makes them. The remark tells the oldest copy. An inbox that remembers for
// ever has only the first half to keep.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_dedup_window_bound(Reading& reading,
                                                               const PropertyOptions& options);

} // namespace crier::properties
