#pragma once

#include "messaging/inbox.hpp"
#include "messaging/ports/subscription.hpp"

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>

// Who is next. Deliveries of one key in one lane stand in a queue of which only the head is worked
// on; a head that waits for its retry blocks its queue and nothing else. Plain data: no waiting, no
// time.

namespace crier::messaging {

/// One open delivery and how far its processing came. All of it is volatile; what has to survive
/// the process is in the inbox.
struct Work {
    enum class Stage {
        attempting,
        completing, ///< The effect is done; the inbox does not say so yet.
        deciding,   ///< The decision to park is made but not known to be durable.
        publishing, ///< The dead letter is not confirmed.
        marking,    ///< It is confirmed; the inbox does not say so yet.
    };

    Delivery delivery;
    Stage stage = Stage::attempting;
    Parking parking;          ///< From `deciding` on.
    int attempts = 0;         ///< Failed ones.
    int store_failures = 0;   ///< In a row; for the backoff only.
    int publish_failures = 0; ///< In a row; for the backoff only.
    bool recorded = true;     ///< Whether `attempts` is durable.
    bool entered = false;     ///< Whether the inbox was asked in a transaction of its own.
    std::int64_t marker = 0;  ///< When our marker in the inbox expires; 0: there is none.
    bool closing = false;     ///< Its lane is going: finish this step, but do not come back.
    bool forgotten = false;   ///< Its lane is gone: commit nothing any more.
};

/// The open deliveries of a consumer, by lane and key.
class KeyQueues {
public:
    /// With `by_key` false every delivery is a queue of its own, as one with an empty key always
    /// is.
    explicit KeyQueues(bool by_key) : by_key_(by_key) {}

    void push(Delivery delivery);

    /// Returns the next head to work on, and counts it as running; null: nothing is ready.
    /// **Order**: first come, first served.
    [[nodiscard]] std::shared_ptr<Work> take();

    /// The running `work` has its fate, or is given up; the next one of its queue is ready.
    void finish(const Work& work);

    /// The running `work` stays at its queue's head, not ready until `resume`.
    void defer(const Work& work);
    void resume(const Work& work);

    /// Removes what is not running in `lane` and marks what is as closing.
    void close(std::uint64_t lane);

    /// Removes everything of `lane`; what is running is marked as forgotten.
    void forget(std::uint64_t lane);

    void close_all();
    void forget_all();

    [[nodiscard]] std::size_t ready() const { return ready_.size(); }
    [[nodiscard]] std::size_t size() const { return size_; } ///< Running ones included.
    [[nodiscard]] bool is_running(std::uint64_t lane) const;
    [[nodiscard]] bool is_running() const;

private:
    struct Name {
        std::uint64_t lane = 0;
        std::string key;
        std::uint64_t token = 0; ///< Zero in a queue that keeps an order.

        friend auto operator<=>(const Name&, const Name&) = default;
    };
    enum class State { ready, running, waiting };
    struct Queue {
        std::list<std::shared_ptr<Work>> works;
        State state = State::ready;
    };
    using Queues = std::map<Name, Queue>;

    [[nodiscard]] Name name_of(const Delivery& delivery) const;
    Queues::iterator head(const Work& work);
    Queues::iterator remove(Queues::iterator queue, bool running_too);
    void remove_lane(std::uint64_t lane, bool running_too);

    bool by_key_;
    Queues queues_;
    std::deque<Queues::iterator> ready_;
    std::size_t size_ = 0;
};

} // namespace crier::messaging
