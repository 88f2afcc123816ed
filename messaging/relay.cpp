#include "messaging/relay.hpp"

#include "messaging/ports/ensure.hpp"
#include "messaging/relay/claim_relay.hpp"
#include "messaging/relay/cursor_relay.hpp"
#include "messaging/relay/stream_relay.hpp"

#include <utility>

namespace crier::messaging {

namespace {

std::unique_ptr<RelayKind> make_kind(ProcessPorts ports, Store& store, Publisher& publisher,
                                     const RelayOptions& options, const RelayPorts& more) {
    switch (options.by) {
    case RelayBy::claim: break;
    case RelayBy::cursor: return std::make_unique<CursorRelay>(ports, store, publisher, options);
    case RelayBy::change_stream:
        ensure(more.change_streams != nullptr, "a relay by change stream needs change streams");
        return std::make_unique<StreamRelay>(ports, store, *more.change_streams, publisher,
                                             options);
    }
    return std::make_unique<ClaimRelay>(ports, store, publisher, options);
}

} // namespace

std::vector<std::string> relay_schema(const RelayOptions& options) {
    std::vector<std::string> schema = outbox_schema(options.outbox);
    if (options.by != RelayBy::cursor) return schema;
    for (std::string& statement : cursor_schema(options.outbox))
        schema.push_back(std::move(statement));
    return schema;
}

Relay::Relay(ProcessPorts ports, Store& store, Publisher& publisher, RelayOptions options,
             RelayPorts more)
    : ports_(ports), options_(std::move(options)), care_(store, options_),
      alarm_(ports, more.notifications, options_),
      kind_(make_kind(ports, store, publisher, options_, more)), stop_(ports.background.executor()),
      purged_(ports.background.executor()), finished_(ports.background.executor()) {
    ensure(options_.validate().empty(), "invalid relay options");
    ensure(options_.wake == RelayWake::poll || more.notifications != nullptr,
           "a relay that is woken needs notifications");
}

asio::awaitable<void> Relay::run() {
    ensure(!running_ && !finished_.is_open(), "a relay runs once");
    running_ = true;
    const bool purges = options_.keep > Duration::zero();
    if (purges) ports_.background.spawn("relay.purge", purge());
    while (!stopping_) {
        co_await alarm_.before_pass();
        const Pass pass = co_await kind_->pass();
        if (!stopping_) co_await alarm_.after_pass(pass, stopping_);
    }
    if (purges) co_await purged_.wait();
    co_await kind_->leave();
    running_ = false;
    finished_.open();
}

asio::awaitable<void> Relay::stop() {
    stopping_ = true;
    stop_.notify();
    if (running_) co_await finished_.wait();
}

/// Removes what need not be kept, again and again, whatever the relay is waiting for meanwhile.
/// What fails is done the next time.
asio::awaitable<void> Relay::purge() {
    while (!stopping_) {
        co_await stop_.wait_for(ports_.clock, options_.purge_interval);
        if (!stopping_) co_await care_.purge(ports_.clock.wall_now());
    }
    purged_.open();
}

} // namespace crier::messaging
