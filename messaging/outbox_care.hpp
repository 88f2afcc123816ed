#pragma once

#include "messaging/ports/clock.hpp"
#include "messaging/ports/store.hpp"
#include "messaging/relay_options.hpp"

#include <cstdint>
#include <string>
#include <vector>

// What an outbox needs besides its relay: somebody who removes what was published, and a way back
// for dead rows.

namespace crier::messaging {

struct DeadRow {
    std::int64_t position = 0;
    std::string id;
    std::string key;
    std::int64_t attempts = 0;
    std::string reason;
};

class OutboxCare {
public:
    /// `store` outlives it. The options are those of the relay.
    OutboxCare(Store& store, const RelayOptions& options);

    /// Removes what `purge` names and is older than `keep`; a relay does this by itself.
    [[nodiscard]] asio::awaitable<Outcome<void>> purge(WallTime now) const;

    /// Returns the dead rows, in the order of their positions.
    [[nodiscard]] asio::awaitable<Outcome<std::vector<DeadRow>>> dead() const;

    /// Makes dead rows open again, with all their attempts: where they stood or, for a change
    /// stream, which has passed them, as new rows in the old order.
    /// **Errors**: after an unknown outcome some may be open, and repeating it may repeat messages.
    [[nodiscard]] asio::awaitable<Outcome<void>> redrive() const;

private:
    [[nodiscard]] asio::awaitable<Outcome<void>> write_again() const;

    Store& store_;
    RelayOptions options_;
};

} // namespace crier::messaging
