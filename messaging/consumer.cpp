#include "messaging/consumer.hpp"

#include "messaging/inbox.hpp"
#include "messaging/key_queues.hpp"
#include "messaging/ports/ensure.hpp"
#include "messaging/processor.hpp"
#include "messaging/signal.hpp"

#include <optional>
#include <set>
#include <utility>

namespace crier::messaging {

/// Everything that the spawned coroutines need; they share it, so that one that still sleeps when
/// the consumer has ended finds something to ask.
class Consumer::Core {
public:
    Core(ProcessPorts ports, Subscription& subscription, Store& store, Publisher& dead_letters,
         Handler handler, const ConsumerOptions& options)
        : ports_(ports), subscription_(subscription), options_(options), store_(store),
          inbox_(options.inbox_table, options.name),
          processor_(ports, subscription, store, dead_letters, std::move(handler), options),
          queues_(options.order == Order::key), progress_(ports.background.executor()),
          finished_(ports.background.executor()) {}

    static asio::awaitable<void> run(std::shared_ptr<Core> core);
    asio::awaitable<void> stop(Duration grace);
    asio::awaitable<void> revoke(std::vector<std::uint64_t> lanes);
    void forget(const std::vector<std::uint64_t>& lanes);
    [[nodiscard]] std::size_t open() const { return queues_.size(); }

private:
    static asio::awaitable<void> work(std::shared_ptr<Core> core);
    static asio::awaitable<void> resume(std::shared_ptr<Core> core, std::shared_ptr<Work> work,
                                        Duration delay);
    static asio::awaitable<void> prune(std::shared_ptr<Core> core);
    static void start_workers(const std::shared_ptr<Core>& core);

    asio::awaitable<void> take_in(std::vector<Delivery> deliveries);
    void press_back();
    asio::awaitable<void> wait_until(Instant deadline);
    [[nodiscard]] bool is_running(const std::vector<std::uint64_t>& lanes) const;

    ProcessPorts ports_;
    Subscription& subscription_;
    ConsumerOptions options_;
    Store& store_;
    Inbox inbox_;
    Processor processor_;
    KeyQueues queues_;
    Signal progress_; ///< Notified when a step ends while `is_waited_for_`.
    Gate finished_;
    std::set<std::uint64_t> lanes_; ///< Those that delivered something.
    std::set<std::uint64_t> held_;
    std::size_t workers_ = 0;
    Instant stop_deadline_{};
    bool is_waited_for_ = false;
    bool running_ = false;
    bool stopping_ = false;
};

asio::awaitable<void> Consumer::Core::run(std::shared_ptr<Core> core) {
    ensure(!core->running_ && !core->finished_.is_open(), "a consumer runs once");
    core->running_ = true;
    if (core->options_.deduplicate == Deduplicate::inbox &&
        core->options_.inbox_retention > Duration::zero()) {
        core->ports_.background.spawn("consumer.prune", prune(core));
    }
    int failures = 0;
    while (!core->stopping_) {
        core->press_back();
        Outcome<std::vector<Delivery>> received =
            co_await core->subscription_.receive(core->options_.receive_wait);
        if (!received) {
            ++failures;
            const Duration delay = retry_delay(core->options_.retry, core->ports_.ids,
                                               "consumer.receive", core->options_.name, failures);
            co_await core->ports_.clock.sleep(delay);
            continue;
        }
        failures = 0;
        // What came after the stop is left to the next owner.
        if (core->stopping_) break;
        if (received->empty()) continue;
        co_await core->take_in(std::move(*received));
        start_workers(core);
    }
    core->queues_.close_all();
    while (core->queues_.is_running() && core->ports_.clock.now() < core->stop_deadline_) {
        co_await core->wait_until(core->stop_deadline_);
    }
    core->queues_.forget_all();
    // Whatever could not be told to the broker is delivered again, as a duplicate.
    co_await core->subscription_.flush();
    co_await core->subscription_.close();
    core->running_ = false;
    core->finished_.open();
}

asio::awaitable<void> Consumer::Core::stop(Duration grace) {
    if (!running_) co_return;
    if (!stopping_) stop_deadline_ = ports_.clock.now() + grace;
    stopping_ = true;
    co_await finished_.wait();
}

asio::awaitable<void> Consumer::Core::revoke(std::vector<std::uint64_t> lanes) {
    for (const std::uint64_t lane : lanes)
        queues_.close(lane);
    const Instant deadline = ports_.clock.now() + options_.revoke_grace;
    while (is_running(lanes) && ports_.clock.now() < deadline)
        co_await wait_until(deadline);
    forget(lanes);
}

void Consumer::Core::forget(const std::vector<std::uint64_t>& lanes) {
    for (const std::uint64_t lane : lanes) {
        queues_.forget(lane);
        lanes_.erase(lane);
        held_.erase(lane);
    }
}

/// One worker: step after step until nothing is ready. It is not kept for a message that waits.
asio::awaitable<void> Consumer::Core::work(std::shared_ptr<Core> core) {
    while (std::shared_ptr<Work> work = core->queues_.take()) {
        const std::optional<Duration> again = co_await core->processor_.step(*work);
        if (!again || work->closing) {
            core->queues_.finish(*work);
        } else {
            core->queues_.defer(*work);
            core->ports_.background.spawn("consumer.retry", resume(core, work, *again));
        }
        if (core->is_waited_for_) core->progress_.notify();
    }
    --core->workers_;
}

asio::awaitable<void> Consumer::Core::resume(std::shared_ptr<Core> core, std::shared_ptr<Work> work,
                                             Duration delay) {
    co_await core->ports_.clock.sleep(delay);
    if (work->forgotten) co_return;
    core->queues_.resume(*work);
    start_workers(core);
}

/// Forgets what is older than the inbox promises to remember, again and again. What fails is done
/// the next time.
asio::awaitable<void> Consumer::Core::prune(std::shared_ptr<Core> core) {
    while (true) {
        co_await core->ports_.clock.sleep(core->options_.prune_interval);
        if (core->stopping_) co_return;
        const WallTime limit = core->ports_.clock.wall_now() - core->options_.inbox_retention;
        for (Statement& statement : core->inbox_.prune(limit))
            co_await execute(core->store_, std::move(statement));
    }
}

void Consumer::Core::start_workers(const std::shared_ptr<Core>& core) {
    for (std::size_t ready = core->queues_.ready();
         ready > 0 && core->workers_ < core->options_.concurrency; --ready) {
        ++core->workers_;
        core->ports_.background.spawn("consumer.worker", work(core));
    }
}

asio::awaitable<void> Consumer::Core::take_in(std::vector<Delivery> deliveries) {
    for (const Delivery& delivery : deliveries) {
        lanes_.insert(delivery.lane);
        ports_.observer.reached("consumer.received");
        if (options_.acknowledge != Acknowledge::before_effect) continue;
        const Outcome<void> settled = co_await subscription_.settle(delivery, Settlement::accept);
        if (settled) ports_.observer.reached("consumer.settled");
    }
    if (options_.acknowledge == Acknowledge::before_effect) {
        co_await subscription_.flush();
    }
    for (Delivery& delivery : deliveries)
        queues_.push(std::move(delivery));
}

/// Holds the lanes while too much is open, but goes on receiving, since that keeps the membership.
void Consumer::Core::press_back() {
    if (queues_.size() >= options_.prefetch) {
        for (const std::uint64_t lane : lanes_) {
            if (held_.insert(lane).second) subscription_.hold(lane, true);
        }
    } else if (!held_.empty() && queues_.size() <= options_.prefetch / 2) {
        for (const std::uint64_t lane : held_)
            subscription_.hold(lane, false);
        held_.clear();
    }
}

/// Completes when a step has ended, or at the deadline.
asio::awaitable<void> Consumer::Core::wait_until(Instant deadline) {
    is_waited_for_ = true;
    co_await progress_.wait_for(ports_.clock, deadline - ports_.clock.now());
    is_waited_for_ = false;
}

bool Consumer::Core::is_running(const std::vector<std::uint64_t>& lanes) const {
    for (const std::uint64_t lane : lanes) {
        if (queues_.is_running(lane)) return true;
    }
    return false;
}

Consumer::Consumer(ProcessPorts ports, Subscription& subscription, Store& store,
                   Publisher& dead_letters, Handler handler, ConsumerOptions options) {
    ensure(options.validate().empty(), "invalid consumer options");
    core_ = std::make_shared<Core>(ports, subscription, store, dead_letters, std::move(handler),
                                   options);
}

Consumer::~Consumer() = default;

asio::awaitable<void> Consumer::run() {
    return Core::run(core_);
}

asio::awaitable<void> Consumer::stop(Duration grace) {
    return core_->stop(grace);
}

asio::awaitable<void> Consumer::lanes_revoked(std::vector<std::uint64_t> lanes) {
    return core_->revoke(std::move(lanes));
}

asio::awaitable<void> Consumer::lanes_lost(std::vector<std::uint64_t> lanes) {
    core_->forget(lanes);
    co_return;
}

std::size_t Consumer::open() const {
    return core_->open();
}

} // namespace crier::messaging
