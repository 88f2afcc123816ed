#pragma once

#include "messaging/consumer_options.hpp"
#include "messaging/handler.hpp"
#include "messaging/inbox.hpp"
#include "messaging/key_queues.hpp"
#include "messaging/ports/process.hpp"
#include "messaging/ports/store.hpp"
#include "messaging/ports/subscription.hpp"

#include <optional>
#include <set>
#include <string>

// What happens to one message. It advances in steps, each from where the last one stopped, so that
// a message that waits holds no worker. The invariant: effect, parking and discarding exclude each
// other through the inbox row, and a dead letter that was decided on is published until it is
// confirmed, under one id, whoever does it.

namespace crier::messaging {

/// Takes messages to their fate. Used by any number of coroutines of one process.
class Processor {
public:
    Processor(ProcessPorts ports, Subscription& subscription, Store& store, Publisher& dead_letters,
              Handler handler, const ConsumerOptions& options);

    /// Takes `work` as far as it gets. **Returns** nothing when the message has its fate and is
    /// settled, else the delay after which to call again.
    [[nodiscard]] asio::awaitable<std::optional<Duration>> step(Work& work);

private:
    using Next = std::optional<Duration>;

    /// What the inbox says of a message outside the transaction of its effect.
    struct Entry {
        enum class Kind { entered, duplicate, parking, elsewhere, failed };
        Kind kind = Kind::failed;
        InboxRow row; ///< Unless entered or failed.
    };

    asio::awaitable<Next> attempt(Work& work);
    asio::awaitable<Next> refused(Work& work, Entry entry);
    asio::awaitable<Entry> enter_alone(Work& work);
    asio::awaitable<Entry> mark_working(Work& work);
    asio::awaitable<void> unmark(Work& work);
    asio::awaitable<Next> complete(Work& work);
    asio::awaitable<Next> known(Work& work, Transaction& transaction);
    asio::awaitable<Next> judge(Work& work, Transaction& transaction, HandlerOutcome outcome);
    asio::awaitable<Next> attempt_failed(Work& work, Transaction& transaction, std::string reason,
                                         bool for_good);
    asio::awaitable<Next> record(Work& work);
    asio::awaitable<Next> discard(Work& work, Transaction& transaction, std::string reason);
    asio::awaitable<Next> decide(Work& work);
    asio::awaitable<Next> publish(Work& work);
    asio::awaitable<Next> mark(Work& work);
    asio::awaitable<Next> settle(Work& work, Fate fate);
    asio::awaitable<Next> release(Work& work);

    [[nodiscard]] bool exhausted(const Work& work) const;
    [[nodiscard]] bool goes_back(const Work& work) const;
    void propose(Work& work, std::string reason);
    [[nodiscard]] Duration after_store_failure(Work& work);
    [[nodiscard]] bool is_durable() const;
    [[nodiscard]] bool is_marked() const;
    [[nodiscard]] bool can_park() const { return !options_.dead_letter_channel.empty(); }

    ProcessPorts ports_;
    Subscription& subscription_;
    Store& store_;
    Publisher& dead_letters_;
    Handler handler_;
    ConsumerOptions options_;
    Inbox inbox_;
    std::set<std::string> seen_; ///< For `Deduplicate::memory` only.
};

} // namespace crier::messaging
