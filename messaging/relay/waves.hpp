#pragma once

#include "messaging/ports/process.hpp"
#include "messaging/ports/subscription.hpp"
#include "messaging/relay/outbox_rows.hpp"
#include "messaging/relay_options.hpp"

#include <cstdint>
#include <string>
#include <vector>

// How every kind of relay publishes what it has in hand: in waves, in each at most one row of a
// key, the next one only after its confirmation. So a row is published only when every earlier row
// of its key was confirmed, and first occurrences are in order whatever is repeated.

namespace crier::messaging {

/// A row that was not published.
struct RowFailure {
    std::int64_t position = 0;
    bool refused = false; ///< By the broker for good; else nobody knows, or it may pass.
    std::string reason;
};

/// What became of rows. Those that are in neither list were not sent.
struct WaveOutcome {
    std::vector<std::int64_t> confirmed;
    std::vector<RowFailure> failed;
    bool out_of_time = false;
};

class Waves {
public:
    Waves(ProcessPorts ports, Publisher& publisher, const RelayOptions& options);

    /// Publishes `rows`, which are in the order of their positions; begins no wave after `until`.
    [[nodiscard]] asio::awaitable<WaveOutcome> publish(std::vector<OutboxRow> rows, Instant until);

private:
    asio::awaitable<std::vector<OutboxRow*>> publish_wave(std::vector<OutboxRow*> wave,
                                                          WaveOutcome& outcome);

    ProcessPorts ports_;
    Publisher& publisher_;
    RelayOptions options_;
};

} // namespace crier::messaging
