#pragma once

#include "messaging/consumer_options.hpp"
#include "messaging/handler.hpp"
#include "messaging/ports/process.hpp"
#include "messaging/ports/store.hpp"
#include "messaging/ports/subscription.hpp"

#include <array>
#include <memory>
#include <string_view>

// Receives, orders by key, limits, and stops in an orderly way. What happens to one message is the
// processor's business. The invariant: nothing is settled before its fate is durable, unless an
// option asks for that mistake.

namespace crier::messaging {

/// The points that a consumer reaches.
inline constexpr std::array<std::string_view, 8> consumer_points{
    "consumer.received",
    "consumer.effect-committed-not-recorded",
    "consumer.effect-committed-not-settled",
    "consumer.attempt-failed",
    "consumer.parking-decided",
    "consumer.parked-not-settled",
    "consumer.settled",
    "consumer.released"};

/// Handles the messages of one subscription exactly as often as its options promise.
/// **Lifetime**: `subscription`, `store` and `dead_letters` outlive the consumer and what it
/// abandoned at the end of a grace period, that is, usually the process's parts.
class Consumer final : public LaneListener {
public:
    /// **Requires**: valid options; the subscription tells this object of its lanes.
    Consumer(ProcessPorts ports, Subscription& subscription, Store& store, Publisher& dead_letters,
             Handler handler, ConsumerOptions options);
    ~Consumer() override;
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    /// Works until `stop`, then flushes and closes the subscription; called once.
    [[nodiscard]] asio::awaitable<void> run();

    /// Takes no new work, lets work in flight finish for up to `grace`, and completes when `run`
    /// has ended. What is abandoned is delivered again, to whoever comes next.
    [[nodiscard]] asio::awaitable<void> stop(Duration grace);

    /// Lets work in flight in `lanes` finish for up to `revoke_grace` and drops the rest.
    asio::awaitable<void> lanes_revoked(std::vector<std::uint64_t> lanes) override;

    /// Forgets everything of `lanes`; what is in flight is rolled back if it is not committed yet.
    asio::awaitable<void> lanes_lost(std::vector<std::uint64_t> lanes) override;

    /// Returns how many deliveries are open: received and without a fate.
    [[nodiscard]] std::size_t open() const;

private:
    class Core;
    std::shared_ptr<Core> core_;
};

} // namespace crier::messaging
