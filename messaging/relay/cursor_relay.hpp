#pragma once

#include "messaging/ports/process.hpp"
#include "messaging/relay/gap_frontier.hpp"
#include "messaging/relay/relay_kind.hpp"
#include "messaging/relay/row_states.hpp"

#include <optional>
#include <string>
#include <vector>

// One relay goes up the positions; the others stand by. Who leads says a row beside the outbox,
// with a lease and an epoch: whoever finds the lease ended raises the epoch and leads, and who led
// before cannot move the cursor any more. It may still publish what it has in hand, which repeats
// messages but reorders none, since it too publishes a row only after the earlier ones of its key.
//
// The cursor stands before the first row that is not published, so a paused or dead row is not
// passed. In memory the relay knows further how far positions are decided, and publishes no row
// beyond that.

namespace crier::messaging {

/// Returns the statements that make the row of the lease; running them again is harmless.
[[nodiscard]] std::vector<std::string> cursor_schema(const OutboxOptions& options);

class CursorRelay final : public RelayKind {
public:
    CursorRelay(ProcessPorts ports, Store& store, Publisher& publisher,
                const RelayOptions& options);

    [[nodiscard]] asio::awaitable<Pass> pass() override;
    [[nodiscard]] asio::awaitable<void> leave() override;

private:
    struct Lead {
        std::int64_t epoch = 0;
        std::int64_t cursor = 0;
        Instant lease_end;
        GapFrontier frontier;
        std::int64_t advanced_to = 0; ///< What was decided when the cursor was moved last.
    };

    asio::awaitable<Outcome<void>> lead();
    asio::awaitable<Outcome<std::vector<OutboxRow>>> read();
    asio::awaitable<Outcome<void>> advance();

    ProcessPorts ports_;
    Store& store_;
    RelayOptions options_;
    Waves waves_;
    RowStates states_;
    std::string owner_;
    std::string lead_;
    std::string read_;
    std::string advance_;
    std::optional<Lead> leading_; ///< None: another does, or nobody.
};

} // namespace crier::messaging
