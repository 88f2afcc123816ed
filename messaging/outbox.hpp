#pragma once

#include "messaging/ports/message.hpp"
#include "messaging/ports/store.hpp"

#include <string>
#include <vector>

// The transactional outbox: events are rows, written with the business data in one transaction, and
// a relay publishes them afterwards. This file writes the rows; it never talks to a broker.
//
// A row is open until it is published or dead. While it is open, a relay may have claimed it
// (`claimed_by`, until `claimed_until`), and after a failure it waits (until `retry_at`).
// Published, it is deleted or, if rows are kept, has `published_at`. A row that the broker refused
// for good is dead: it has `dead_at` and a `reason`, and stays until somebody redrives or deletes
// it. Times are milliseconds since the Unix epoch.

namespace crier::messaging {

struct OutboxOptions {
    std::string table = "outbox"; ///< Also the prefix of what belongs to it, and the channel of its
                                  ///< notifications.
    bool notify = false; ///< Wakes relays at the commit; for databases that have notifications.

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// Returns the statements that make the sequence, table and indexes; running them again is
/// harmless.
[[nodiscard]] std::vector<std::string> outbox_schema(const OutboxOptions& options = {});

/// Adds events to a transaction of the caller.
class Outbox {
public:
    explicit Outbox(OutboxOptions options = {});

    /// Writes `messages` in the order given; they will be published if `transaction` commits, and
    /// only then. **Requires**: the row of the aggregate that is the messages' key was written
    /// before in the same transaction, so that its lock makes positions of one key follow the
    /// commits, and the database has numbered the transaction before it hands out a position.
    /// **Errors**: those of `Transaction::execute`.
    [[nodiscard]] asio::awaitable<Outcome<void>>
    write(Transaction& transaction, std::vector<Message> messages, WallTime now) const;

private:
    OutboxOptions options_;
};

} // namespace crier::messaging
