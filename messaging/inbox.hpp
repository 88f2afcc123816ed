#pragma once

#include "messaging/ports/clock.hpp"
#include "messaging/ports/store.hpp"
#include "messaging/statement.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The idempotent consumer's memory: one row per consumer and message that has a fate. The primary
// key makes the fates exclude each other, also between two processes that both believe to own a
// message. Attempts stand in a table of their own, since they are committed when the effect is
// rolled back. This file knows the SQL; when to run which statement is the processor's business.

namespace crier::messaging {

/// Returns the statements that make the tables; running them again is harmless.
[[nodiscard]] std::vector<std::string> inbox_schema(const std::string& table = "inbox");

/// What the inbox says of a message.
enum class InboxStatus {
    working, ///< Somebody has begun with it, and has until `expires_at` to finish.
    done,
    parking, ///< It will be dead-lettered, whoever does it; its dead letter may be on its way.
    parked,  ///< Its dead letter is confirmed.
    discarded,
};

/// The decision to dead-letter one message; whoever carries it out does it under the same id.
struct Parking {
    std::string dead_letter_id;
    int attempts = 0;
    std::string reason;
};

struct InboxRow {
    InboxStatus status = InboxStatus::done;
    Parking parking;                        ///< Empty unless parking or parked.
    std::optional<std::int64_t> expires_at; ///< Of a marker: in milliseconds; none: never.
};

/// The statements of one consumer's inbox.
class Inbox {
public:
    Inbox(const std::string& table, std::string consumer);

    /// Takes the message for `done` in the transaction of its effect.
    /// **Shape**: one row (see `attempts_of`), or none if the message has a fate already.
    [[nodiscard]] Statement enter(std::string_view id, WallTime now) const;

    /// Returns the durable number of failed attempts from the row that `enter` gave.
    [[nodiscard]] static int attempts_of(const Row& row);

    /// Marks the message as being in work until `expires_at`; none: for ever. `mine` is when the
    /// caller's own marker of this message expires, 0 without one.
    /// **Shape**: one row (see `attempts_of`), or none if the message has a fate already or is
    /// somebody else's, and not yet expired.
    [[nodiscard]] Statement mark(std::string_view id, WallTime now,
                                 std::optional<std::int64_t> expires_at, std::int64_t mine) const;

    /// Takes the message for `done` after its effect.
    [[nodiscard]] Statement complete(std::string_view id, WallTime now) const;

    /// Removes the caller's own marker: the message is nobody's.
    [[nodiscard]] Statement unmark(std::string_view id, std::int64_t mine) const;

    /// Reads the fate. **Shape**: one row for `parse`, or none.
    [[nodiscard]] Statement find(std::string_view id) const;
    [[nodiscard]] static InboxRow parse(const Row& row);

    /// Makes `attempts` durable; never lowers the number, so repeating it is harmless.
    [[nodiscard]] Statement record(std::string_view id, int attempts, WallTime now) const;

    /// Decides to park. **Shape**: one row, or none if the message has a fate already.
    [[nodiscard]] Statement park(std::string_view id, const Parking& parking, WallTime now) const;

    /// Notes that the dead letter is confirmed.
    [[nodiscard]] Statement parked(std::string_view id, WallTime now) const;

    /// Decides to discard. **Shape**: one row, or none if the message has a fate already.
    [[nodiscard]] Statement discard(std::string_view id, std::string_view reason,
                                    WallTime now) const;

    /// Two statements that forget what was finished before `limit`. **Requires**: no copy of such a
    /// message can arrive any more: older than the broker's retention and the stay in a dead-letter
    /// queue.
    [[nodiscard]] std::vector<Statement> prune(WallTime limit) const;

private:
    std::string consumer_;
    std::string enter_;
    std::string mark_;
    std::string complete_;
    std::string unmark_;
    std::string find_;
    std::string record_;
    std::string park_;
    std::string parked_;
    std::string discard_;
    std::string prune_;
    std::string prune_attempts_;
};

} // namespace crier::messaging
