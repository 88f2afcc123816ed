#pragma once

#include "messaging/asio_worker.hpp"

// Awaiting what answers later, on the executor of the process itself.

namespace crier::messaging::postgres {

/// Calls `question` at once and completes on `home` with the answer that it gets.
/// **Cancellation**: none; what was asked is answered.
template <class R>
[[nodiscard]] asio::awaitable<R> ask(asio::any_io_executor home,
                                     std::function<void(Answer<R>)> question) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(R)>(
        [](auto handler, asio::any_io_executor executor, std::function<void(Answer<R>)> asked) {
            // std::function wants copies; the handler itself exists once.
            auto kept = std::make_shared<decltype(handler)>(std::move(handler));
            asked([kept, executor = std::move(executor)](R result) {
                asio::post(executor, [kept, result = std::move(result)]() mutable {
                    std::move (*kept)(std::move(result));
                });
            });
        },
        asio::use_awaitable, std::move(home), std::move(question));
}

} // namespace crier::messaging::postgres
