#pragma once

#include "messaging/ports/clock.hpp"
#include "messaging/retry.hpp"

#include <string>
#include <vector>

// What can be chosen about a consumer. The first enumerator of each choice is the right one and the
// default; the others are what people really build, so that their price can be shown.

namespace crier::messaging {

enum class Acknowledge {
    after_effect,  ///< Settle when the fate of the message is durable.
    before_effect, ///< Settle and flush on receipt: a crash loses what was not done yet.
    automatic,     ///< Never settle: the broker's client commits by itself, done or not.
};

enum class Deduplicate {
    inbox,  ///< A row per message, in the database.
    memory, ///< A set of ids in the process: forgotten by a restart, unknown to other replicas.
    none,
};

enum class InboxTransaction {
    same,   ///< The inbox row commits with the effect.
    marker, ///< For effects outside the database, where the first is impossible: a marker that
            ///< expires commits before, the row's completion after it. A crash between repeats the
            ///< effect, which must therefore bear the message's id as its idempotency key.
    own,    ///< The row commits before: a crash between the two loses the effect.
    after, ///< It is looked up before and commits after: a crash between, or a copy that is handled
           ///< meanwhile, repeats the effect.
};

/// What a copy does that finds the marker of a message in work.
enum class MarkerHit {
    waits,          ///< Until the message is done, or the marker expires and the copy takes over.
    taken_for_done, ///< It is dropped while the marker lives, although the first may yet fail.
    never_expires,  ///< It is dropped for ever: nobody looks for messages in this state.
};

enum class DeadLetterPublish {
    awaited,   ///< Settle when the broker has confirmed the dead letter.
    forgotten, ///< Send it and settle at once: a failed send loses the message.
};

enum class Order {
    key,  ///< Messages of one key one after another, in the order of their lane.
    none, ///< Any message as soon as there is a worker.
};

enum class RetryBy {
    process, ///< The message waits here, for as long as the policy says.
    broker, ///< It goes back to the broker, which gives it to anybody; where deliveries count only.
};

struct ConsumerOptions {
    std::string name; ///< The consumer's name in the inbox and in dead letters; shared by replicas.
    std::string dead_letter_channel; ///< Empty: none; a failing message is tried for ever.
    std::string inbox_table = "inbox";
    RetryPolicy retry; ///< Its delays also serve failures of store and dead-letter channel.
    RetryBy retry_by = RetryBy::process;
    /// How often the broker delivers a message before it drops it. The last delivery is not given
    /// back: this process tries until the message is done or parked.
    int delivery_limit = 5;
    std::size_t concurrency = 8;
    std::size_t prefetch = 500; ///< Open deliveries at which no more are asked for.
    Acknowledge acknowledge = Acknowledge::after_effect;
    Deduplicate deduplicate = Deduplicate::inbox;
    InboxTransaction inbox_transaction = InboxTransaction::same;
    MarkerHit marker_hit = MarkerHit::waits;
    /// How long a message may be in work: longer than any handler takes.
    Duration marker_expiry = std::chrono::seconds(30);
    /// How long finished messages are remembered; 0: for ever. A copy that comes later has its
    /// effect again, so: longer than the broker keeps messages, a stay in a dead-letter queue
    /// included.
    Duration inbox_retention{};
    Duration prune_interval = std::chrono::minutes(1);
    DeadLetterPublish dead_letter_publish = DeadLetterPublish::awaited;
    Order order = Order::key;
    Duration receive_wait = std::chrono::milliseconds(100); ///< Also the longest unnoticed stop.
    Duration revoke_grace = std::chrono::seconds(10); ///< For work in flight in a revoked lane.

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

} // namespace crier::messaging
