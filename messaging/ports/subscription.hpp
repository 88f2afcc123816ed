#pragma once

#include "messaging/ports/clock.hpp"
#include "messaging/ports/message.hpp"
#include "messaging/ports/result.hpp"

#include <cstdint>
#include <optional>
#include <vector>

// The port that handlers stand on: receive and settle. A log with offsets (Kafka), a queue with
// acknowledgements (AMQP) and a queue with leases (SQS) all fit behind it.

namespace crier {

/// One delivery of one message. It stays open until it is settled, revoked or its lease ends.
struct Delivery {
    Message message;
    std::uint64_t lane = 0; ///< Unit of order and of revocation: partition, queue or message group.
    std::uint64_t token =
        0;                  ///< Names the delivery in its lane: offset, delivery tag, receipt slot.
    int delivery_count = 0; ///< How often the broker says it delivered it; 0: it does not count.
    std::optional<Instant> lease_end; ///< When the broker gives it to another; none: no lease.
    std::string origin; ///< Where it stood, for people and dead letters: `orders/3@42`.
};

/// What the consumer says of a delivery.
enum class Settlement {
    accept,  ///< Finished: never deliver it again (commit, ack, delete).
    release, ///< Not finished: deliver it again (nack with requeue, visibility 0; a log rewinds).
    reject,  ///< Refused for good, and parked if need be: never deliver it again (on a log accept).
};

/// Told when lanes come and go. Called between two `receive`s, on the process's executor.
class LaneListener {
public:
    virtual ~LaneListener() = default;

    /// The lanes will be taken away when this completes; finish or drop their open deliveries.
    virtual asio::awaitable<void> lanes_revoked(std::vector<std::uint64_t> lanes) = 0;

    /// The lanes were taken away already: another consumer may hold their messages now.
    virtual asio::awaitable<void> lanes_lost(std::vector<std::uint64_t> lanes) = 0;
};

/// A stream of deliveries with explicit settlement.
class Subscription {
public:
    virtual ~Subscription() = default;

    /// Waits up to `wait` for deliveries. **Order**: in one lane, the broker's order.
    /// An empty list is no error. **Errors**: throws `system_error` when this process can never
    /// receive again as it is configured; what supervises processes should know.
    [[nodiscard]] virtual asio::awaitable<Outcome<std::vector<Delivery>>>
    receive(Duration wait) = 0;

    /// Settles one delivery. A log may only remember it and tell the broker at `flush`.
    /// **Errors**: a delivery of a lane that is gone, or with an ended lease, fails and changes
    /// nothing.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> settle(const Delivery& delivery,
                                                                Settlement settlement) = 0;

    /// Completes when everything settled so far was told to the broker.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> flush() = 0;

    /// Extends the lease of an open delivery; succeeds without effect where there are no leases.
    [[nodiscard]] virtual asio::awaitable<Outcome<void>> extend(const Delivery& delivery,
                                                                Duration lease) = 0;

    /// Stops or starts deliveries of a lane without giving it back (backpressure).
    virtual void hold(std::uint64_t lane, bool held) = 0;

    /// Gives everything unsettled back, flushes, and leaves.
    [[nodiscard]] virtual asio::awaitable<void> close() = 0;
};

/// Publishes messages to named channels (topics, exchanges).
class Publisher {
public:
    virtual ~Publisher() = default;

    /// Publishes `messages` to `channel` and waits for the broker's confirmation of each.
    /// **Shape**: one outcome per message, in the same order. **Order**: messages of one key are
    /// stored in the order given unless one of them fails.
    [[nodiscard]] virtual asio::awaitable<std::vector<Outcome<void>>>
    publish(std::string channel, std::vector<Message> messages) = 0;
};

} // namespace crier
