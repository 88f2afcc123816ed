#pragma once

#include "messaging/ports/result.hpp"
#include "messaging/relay/waves.hpp"

#include <boost/asio/awaitable.hpp>

namespace crier::messaging {

/// What a pass says of the next one.
enum class Pass {
    idle,    ///< Nothing is left: look again when there is a reason.
    full,    ///< Go on at once.
    waiting, ///< Something comes by itself: look again soon.
    failed,  ///< Store or broker is out of reach: pause.
};

/// A way of getting at the rows of an outbox.
class RelayKind {
public:
    virtual ~RelayKind() = default;

    /// Takes one batch as far as it gets.
    [[nodiscard]] virtual asio::awaitable<Pass> pass() = 0;

    /// Writes what is still to be written, and lets others at what this relay holds.
    [[nodiscard]] virtual asio::awaitable<void> leave() = 0;
};

/// Returns what a batch of which this became says of the next one.
[[nodiscard]] inline Pass after(const WaveOutcome& outcome, bool was_full) {
    if (outcome.out_of_time) return Pass::full;
    if (was_full && !outcome.confirmed.empty()) return Pass::full;
    return was_full || !outcome.failed.empty() ? Pass::waiting : Pass::idle;
}

} // namespace crier::messaging
