#pragma once

#include "properties/property.hpp"

// Property `zombie-effect`: no effect for a message of a partition becomes durable by a member that
// lost the partition, while its new owner is at work. Kafka refuses a zombie's commits, not its
// writes elsewhere; only a fencing token in the database does. An inbox does not: it refuses the
// second effect, and the zombie's may be the first. Judged when the row becomes durable, by who
// asked for the commit; not when a database finds a commit in its log after a death, for that was
// made earlier, and not for a message that is stored in several partitions.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_zombie_effect(Reading& reading,
                                                          const PropertyOptions& options);

} // namespace crier::properties
