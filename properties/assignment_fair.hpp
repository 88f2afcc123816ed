#pragma once

#include "properties/property.hpp"

// Property `assignment-fair`: at the end every member of a group holds as many partitions of a
// channel as any other, or one more. That is what each of Kafka's assignors promises for one topic,
// once it is done: cooperative groups and those of KIP-848 get there in steps. Not judged while
// somebody is missing, that is, where a partition has no owner; nor for share groups.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_assignment_fair(Reading& reading,
                                                            const PropertyOptions& options);

} // namespace crier::properties
