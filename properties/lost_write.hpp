#pragma once

#include "properties/property.hpp"

// Property `lost-write`: of the records that producers know to be stored, none is missing among
// those that a group was handed, up to the last of them. A transaction is known to be stored when
// its client was told so, or when a careful reader was handed a part of it: then the rest must
// come, too. Judged for acks=all on channels that may lose nothing; not below the place where the
// group began or went to, nor what was deleted, nor compacted partitions, nor those that were
// deleted with their topic, from then on.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_lost_write(Reading& reading,
                                                       const PropertyOptions& options);

} // namespace crier::properties
