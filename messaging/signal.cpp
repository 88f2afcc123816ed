#include "messaging/signal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

namespace crier::messaging {

namespace {

using Channel = asio::experimental::channel<void(boost::system::error_code)>;

asio::awaitable<void> receive(Channel& channel) {
    // As a tuple: neither a closed channel nor the loser of a bounded wait is exceptional.
    co_await channel.async_receive(asio::as_tuple(asio::use_awaitable));
}

} // namespace

struct Signal::State {
    explicit State(asio::any_io_executor executor) : channel(std::move(executor), 1) {}
    Channel channel;
};

Signal::Signal(asio::any_io_executor executor)
    : state_(std::make_unique<State>(std::move(executor))) {}

Signal::~Signal() = default;

void Signal::notify() {
    state_->channel.try_send(boost::system::error_code{});
}

asio::awaitable<void> Signal::wait() {
    return receive(state_->channel);
}

asio::awaitable<void> Signal::wait_for(Clock& clock, Duration duration) {
    using asio::experimental::awaitable_operators::operator||;
    co_await (receive(state_->channel) || clock.sleep(duration));
}

struct Gate::State {
    explicit State(asio::any_io_executor executor) : channel(std::move(executor)) {}
    Channel channel;
};

Gate::Gate(asio::any_io_executor executor) : state_(std::make_unique<State>(std::move(executor))) {}

Gate::~Gate() = default;

void Gate::open() {
    state_->channel.close();
}

bool Gate::is_open() const {
    return !state_->channel.is_open();
}

asio::awaitable<void> Gate::wait() {
    return receive(state_->channel);
}

} // namespace crier::messaging
