#pragma once

#include "broker-model/kafka/transaction.hpp"

#include <optional>

// A transactional id as its coordinator writes it into __transaction_state, and reads it again
// after it moved. The bytes are this model's own.

namespace crier::broker::kafka {

[[nodiscard]] Record write_record(const Transaction& transaction);

/// Returns what the record says if it is of that kind.
[[nodiscard]] std::optional<Transaction> read_transaction_record(const Record& record);

} // namespace crier::broker::kafka
