#include "messaging/asio_clock.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace crier::messaging {

AsioClock::AsioClock(asio::any_io_executor executor) : executor_(std::move(executor)) {}

Instant AsioClock::now() const {
    const auto elapsed = std::chrono::steady_clock::now().time_since_epoch();
    return Instant(std::chrono::duration_cast<Duration>(elapsed));
}

WallTime AsioClock::wall_now() const {
    const auto elapsed = std::chrono::system_clock::now().time_since_epoch();
    return WallTime(std::chrono::duration_cast<Duration>(elapsed));
}

asio::awaitable<void> AsioClock::sleep(Duration duration) {
    if (duration <= Duration::zero()) {
        co_await asio::post(executor_, asio::use_awaitable);
        co_return;
    }
    asio::steady_timer timer(executor_, duration);
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace crier::messaging
