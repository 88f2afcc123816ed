#pragma once

#include "messaging/ports/message.hpp"
#include "messaging/ports/store.hpp"

#include <string>
#include <vector>

// The transactional outbox: events are rows, written with the business data in one transaction, and
// a relay publishes them afterwards. This file writes the rows; it never talks to a broker.

namespace crier::messaging {

struct OutboxOptions {
    std::string table = "outbox"; ///< Also the prefix of the sequence and of the index.

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// Returns the statements that make the sequence, table and index; running them again is harmless.
[[nodiscard]] std::vector<std::string> outbox_schema(const OutboxOptions& options = {});

/// Adds events to a transaction of the caller.
class Outbox {
public:
    explicit Outbox(OutboxOptions options = {});

    /// Writes `messages` in the order given; they will be published if `transaction` commits, and
    /// only then. **Requires**: the row of the aggregate that is the messages' key was written
    /// before in the same transaction, so that its lock makes positions of one key follow the
    /// commits.
    /// **Errors**: those of `Transaction::execute`.
    [[nodiscard]] asio::awaitable<Outcome<void>> write(Transaction& transaction,
                                                       std::vector<Message> messages) const;

private:
    std::string insert_;
};

} // namespace crier::messaging
