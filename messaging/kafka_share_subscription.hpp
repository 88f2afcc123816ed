#pragma once

#include "messaging/ports/background.hpp"
#include "messaging/ports/kafka_share.hpp"
#include "messaging/ports/subscription.hpp"
#include "messaging/signal.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

// The subscription port over a share group: a queue, kept in a log. The invariant: a record is told
// to be done only after it was settled, and what is in work is renewed before its lock ends. One
// batch is in hand at a time, and the next is asked for when all of it is settled: Kafka gives a
// member that renews nothing new. Source: KIP-932, KIP-1222.

namespace crier::messaging {

struct KafkaShareSubscriptionOptions {
    std::vector<std::string> topics;
    /// The next `receive` accepts all of the one before and `settle` does nothing; the consumer is
    /// in implicit mode then.
    bool automatic = false;
    Duration lock = std::chrono::seconds(30); ///< group.share.record.lock.duration.ms
    bool renew = true; ///< Whether the lock of what is in work is renewed when half of it is over.
    Duration commit_interval = std::chrono::milliseconds(200);

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// Receives from topics as a member of a share group. `settle` and `extend` may be called from any
/// coroutine of the process at any time; everything else by one coroutine at a time.
/// There is one lane, which never goes: nothing is revoked, since every record has a lock of its
/// own. `release` gives a record back to anybody, at once, and its delivery counts; `reject` ends
/// it. A settlement is told to the broker within `commit_interval` while `receive` is called.
class KafkaShareSubscription final : public Subscription {
public:
    /// **Requires**: a consumer in explicit mode, unless `automatic`.
    KafkaShareSubscription(Clock& clock, Background& background,
                           std::unique_ptr<kafka::ShareConsumer> consumer,
                           KafkaShareSubscriptionOptions options);
    ~KafkaShareSubscription() override;
    KafkaShareSubscription(const KafkaShareSubscription&) = delete;
    KafkaShareSubscription& operator=(const KafkaShareSubscription&) = delete;

    asio::awaitable<Outcome<std::vector<Delivery>>> receive(Duration wait) override;
    asio::awaitable<Outcome<void>> settle(const Delivery& delivery, Settlement settlement) override;
    asio::awaitable<Outcome<void>> flush() override;
    asio::awaitable<Outcome<void>> extend(const Delivery& delivery, Duration lease) override;
    void hold(std::uint64_t lane, bool held) override;
    asio::awaitable<void> close() override;

private:
    /// A delivered record that is not settled.
    struct Record {
        kafka::ShareRecord place; ///< Without key, value and headers.
        Instant lock_end{};
        Instant renew_at{};
        bool is_to_renew = false; ///< Whatever the options say.
        bool is_renewing = false; ///< The broker was told, and has not answered yet.
    };
    struct Settled {
        kafka::ShareRecord place;
        kafka::AcknowledgeType type = kafka::AcknowledgeType::accept;
    };

    void acknowledge_settled();
    void renew_due();
    [[nodiscard]] Instant next_renewal() const;
    asio::awaitable<Outcome<void>> commit();
    std::vector<Delivery> take(std::vector<kafka::ShareRecord> records);

    Clock& clock_;
    std::unique_ptr<kafka::ShareConsumer> consumer_;
    KafkaShareSubscriptionOptions options_;
    Signal progress_;
    std::map<std::uint64_t, Record> open_; ///< By token.
    std::vector<Settled> settled_;         ///< Not yet told to the consumer.
    std::uint64_t tokens_ = 0;
    Instant committed_at_{};
    bool renewal_is_due_ = false;
    bool held_ = false;
};

} // namespace crier::messaging
