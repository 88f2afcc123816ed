#pragma once

#include "properties/property.hpp"

// Property `dedup-key-scope`: a service drops a message as a copy only if it has that message's
// effect, or has parked or discarded it, or its inbox has a record of it. Otherwise what it
// compares is not what tells messages apart, and another one's record has swallowed this one. That
// it is dropped the service says; what it has, the store. Judged at the end, since another
// process's commit may be told late.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_dedup_key_scope(Reading& reading,
                                                            const PropertyOptions& options);

} // namespace crier::properties
