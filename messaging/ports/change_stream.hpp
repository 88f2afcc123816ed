#pragma once

#include "messaging/ports/store.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// The rows that were inserted into a table, in the order in which their transactions were
// committed, as PostgreSQL's logical decoding tells them: change data capture. The database keeps
// for each named slot how far its reader has got, and keeps what comes after it.

namespace crier {

/// One inserted row.
struct Change {
    std::uint64_t position = 0; ///< Ascends strictly along the stream; a commit's rows share none.
    std::string table;
    std::vector<std::string> columns;
    Row row; ///< In the order of `columns`. Numbers may come as texts: decoding tells texts.
};

/// The one reader of a slot.
class ChangeStream {
public:
    virtual ~ChangeStream() = default;

    /// Returns the next changes, at most about `max`: whole transactions, in commit order. Waits at
    /// most for `limit` when there is none yet; then the list is empty. A stream that was opened
    /// begins with the first change that was not confirmed, so what was read before may come again.
    /// **Errors**: `connection_lost`, `unavailable`: open the slot again.
    [[nodiscard]] virtual asio::awaitable<Outcome<std::vector<Change>>> next(std::size_t max,
                                                                             Duration limit) = 0;

    /// The slot need not keep what is at `position` and before it. Durable, but perhaps not at
    /// once: after a crash of the database earlier changes may come again.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> confirm(std::uint64_t position) = 0;
};

/// The slots of a database.
class ChangeStreams {
public:
    virtual ~ChangeStreams() = default;

    /// Opens the slot of this name, which begins to keep changes now if it was not there before.
    /// **Errors**: `unavailable`, also while another reader has the slot open.
    [[nodiscard]] virtual asio::awaitable<Outcome<std::unique_ptr<ChangeStream>>>
    open(std::string slot) = 0;
};

} // namespace crier
