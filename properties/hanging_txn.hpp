#pragma once

#include "properties/property.hpp"

// A transaction was open in a partition for longer than its timeout and the coordinator's next look
// at timeouts (transaction.abort.timed.out.transaction.cleanup.interval.ms, 10 s): nobody ends it,
// and the partition's last stable offset stands. Allowed: any time while a fault lasts, and the
// whole time anew after the last fault, restart or change of leaders; half a minute more for calls
// that are tried again, and what wall clocks may be wrong by. An open transaction whose time is not
// over when the run ends is not judged, nor one that ends while a fault lasts. Without verification
// by the leaders, which no scenario can switch off, Kafka itself lets transactions hang (KIP-890).
// Vacuous when no transaction was ended or overdue.

namespace crier::properties {

[[nodiscard]] std::unique_ptr<Checker> make_hanging_txn(Reading& reading,
                                                        const PropertyOptions& options);

} // namespace crier::properties
