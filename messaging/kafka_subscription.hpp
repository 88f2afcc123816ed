#pragma once

#include "messaging/ports/kafka.hpp"
#include "messaging/ports/subscription.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

// The subscription port over a Kafka consumer. The invariant: a committed offset is never beyond a
// record that was delivered and is not settled. Offsets may have gaps (compaction, control
// records), so what counts is the sequence of delivered offsets. Commits go out inside `receive`,
// at most one in a while, and at once when partitions are revoked.

namespace crier::messaging {

struct KafkaSubscriptionOptions {
    std::vector<std::string> topics;
    bool auto_commit = false; ///< The client commits by itself and `settle` does nothing.
    Duration commit_interval = std::chrono::milliseconds(200);

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// Receives from topics as a member of a group. `settle` may be called from any coroutine of the
/// process at any time; everything else by one coroutine at a time.
/// A lane is one assignment of one partition: a partition that comes back has a new lane, so that
/// what was delivered before cannot be settled any more. `release` makes the partition wait until
/// nothing of it is in flight and then rewinds it; `reject` is `accept`, since a log has no
/// dead-lettering.
class KafkaSubscription final : public Subscription, private kafka::RebalanceListener {
public:
    KafkaSubscription(Clock& clock, std::unique_ptr<kafka::Consumer> consumer,
                      KafkaSubscriptionOptions options);
    ~KafkaSubscription() override;
    KafkaSubscription(const KafkaSubscription&) = delete;
    KafkaSubscription& operator=(const KafkaSubscription&) = delete;

    /// Names who is told of lanes. **Requires**: before the first `receive`; it outlives this
    /// object.
    void listen(LaneListener& listener) { listener_ = &listener; }

    asio::awaitable<Outcome<std::vector<Delivery>>> receive(Duration wait) override;
    asio::awaitable<Outcome<void>> settle(const Delivery& delivery, Settlement settlement) override;
    asio::awaitable<Outcome<void>> flush() override;
    asio::awaitable<Outcome<void>> extend(const Delivery& delivery, Duration lease) override;
    void hold(std::uint64_t lane, bool held) override;
    asio::awaitable<void> close() override;

private:
    enum class State : std::uint8_t { open, released, finished };
    struct Record {
        kafka::Offset offset = 0;
        State state = State::open;
    };
    struct Partition {
        kafka::TopicPartition name;
        std::deque<Record> records;  ///< Delivered and beyond the finished prefix; ascending.
        kafka::Offset finished = -1; ///< The next offset after the finished prefix; -1: none.
        kafka::Offset committed = -1;
        std::size_t released = 0;
        bool held = false;
    };
    using Lanes = std::map<std::uint64_t, Partition>;

    asio::awaitable<void>
    partitions_revoked(std::vector<kafka::TopicPartition> partitions) override;
    asio::awaitable<void>
    partitions_assigned(std::vector<kafka::TopicPartition> partitions) override;
    asio::awaitable<void> partitions_lost(std::vector<kafka::TopicPartition> partitions) override;

    std::uint64_t track(const kafka::ConsumerRecord& record);
    void rewind_released();
    asio::awaitable<Outcome<void>> commit(std::vector<std::uint64_t> lanes);
    asio::awaitable<void> lose(std::vector<std::uint64_t> lanes);
    void erase(const std::vector<std::uint64_t>& lanes);
    std::vector<std::uint64_t> all_lanes() const;
    std::vector<std::uint64_t> lanes_of(const std::vector<kafka::TopicPartition>& partitions) const;

    Clock& clock_;
    std::unique_ptr<kafka::Consumer> consumer_;
    KafkaSubscriptionOptions options_;
    LaneListener* listener_ = nullptr;
    Lanes lanes_;
    std::map<kafka::TopicPartition, std::uint64_t> lane_of_;
    std::uint64_t lanes_made_ = 0;
    Instant committed_at_{};
};

} // namespace crier::messaging
