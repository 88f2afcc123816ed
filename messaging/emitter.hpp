#pragma once

#include "messaging/outbox.hpp"
#include "messaging/ports/process.hpp"
#include "messaging/ports/subscription.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// How a service publishes what its transaction did. The right way and the classic wrong one stand
// behind the same call, so that a scenario can show the difference.

namespace crier::messaging {

enum class PublishMode {
    outbox,     ///< Rows in the same transaction; a relay publishes them.
    dual_write, ///< Commit, then publish: an event is lost when the process dies between the two.
};

struct EmitterOptions {
    PublishMode publish = PublishMode::outbox;
    OutboxOptions outbox;
    std::string channel; ///< Where `dual_write` publishes.

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// The points that an emitter reaches.
inline constexpr std::array<std::string_view, 1> emitter_points{"emitter.committed-not-published"};

/// Commits transactions together with their events.
class Emitter {
public:
    /// **Requires**: a `publisher` for `dual_write`; null otherwise allowed. Both outlive the
    /// emitter.
    Emitter(ProcessPorts ports, Publisher* publisher, EmitterOptions options);

    /// Commits `transaction` and publishes `messages` the way the options say.
    /// **Errors**: those of the transaction; with `dual_write` a failed publish is not reported,
    /// since the transaction is committed all the same.
    [[nodiscard]] asio::awaitable<Outcome<void>> commit(std::unique_ptr<Transaction> transaction,
                                                        std::vector<Message> messages);

private:
    ProcessPorts ports_;
    Publisher* publisher_;
    EmitterOptions options_;
    Outbox outbox_;
};

} // namespace crier::messaging
