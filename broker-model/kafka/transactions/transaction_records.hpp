#pragma once

#include "broker-model/kafka/transactions/transaction.hpp"

#include <optional>

// A transactional id as its coordinator writes it into __transaction_state, and reads it again
// after it moved. The bytes are this model's own.

namespace crier::broker::kafka {

[[nodiscard]] Record write_record(const Transaction& transaction);

/// This says that there is no such id any more.
[[nodiscard]] Record write_transaction_tombstone(const std::string& id);

/// Returns what the record says if it is of that kind.
[[nodiscard]] std::optional<Transaction> read_transaction_record(const Record& record);

} // namespace crier::broker::kafka
