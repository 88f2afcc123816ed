#pragma once

#include "properties/property.hpp"

// Property `commit-not-behind`: when everything has come to rest and the ledger has nothing open,
// every group whose effects are counted has committed up to the end of each partition; otherwise a
// restart would handle finished messages again. Clients that commit by themselves may be behind by
// their interval, expired commits are gone on purpose, and share groups commit nothing.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_commit_not_behind(Reading& reading,
                                                              const PropertyOptions& options);

} // namespace crier::properties
