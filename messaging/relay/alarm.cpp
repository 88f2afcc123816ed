#include "messaging/relay/alarm.hpp"

#include <algorithm>
#include <utility>

namespace crier::messaging {

Alarm::Alarm(ProcessPorts ports, Notifications* notifications, const RelayOptions& options)
    : ports_(ports), notifications_(notifications), options_(options) {}

asio::awaitable<void> Alarm::before_pass() {
    const bool listens =
        options_.wake == RelayWake::notification && options_.listen == RelayListen::before_reading;
    if (listens && !listener_) co_await listen();
}

asio::awaitable<void> Alarm::after_pass(Pass pass, const bool& stopping) {
    if (pass == Pass::full) co_return;
    if (pass == Pass::failed) {
        co_await ports_.clock.sleep(options_.backoff);
        co_return;
    }
    if (options_.wake == RelayWake::notification && options_.listen == RelayListen::after_reading &&
        !listener_) {
        co_await listen();
    }
    if (pass == Pass::idle && listener_) {
        co_await wait(stopping);
    } else {
        co_await ports_.clock.sleep(options_.poll_interval);
    }
}

asio::awaitable<void> Alarm::listen() {
    std::string channel = options_.outbox.table;
    Outcome<std::unique_ptr<Listener>> listening =
        co_await notifications_->listen(std::move(channel));
    if (listening) listener_ = std::move(*listening);
}

/// Waits for a notification, in steps that a stop can end.
asio::awaitable<void> Alarm::wait(const bool& stopping) {
    const bool looks_anyway = options_.listen == RelayListen::before_reading;
    const Instant end = looks_anyway ? ports_.clock.now() + options_.fallback_poll : Instant::max();
    while (!stopping && ports_.clock.now() < end) {
        const Duration step = std::min(options_.poll_interval, end - ports_.clock.now());
        const Outcome<bool> heard = co_await listener_->wait(step);
        if (!heard) listener_.reset();
        if (!heard || *heard) co_return;
    }
}

} // namespace crier::messaging
