#pragma once

#include "messaging/ports/result.hpp"
#include "sim/kernel.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>

namespace crier::sim {

namespace detail {

template <class Handler>
struct WakeUp {
    Handler handler;
    error_code code;

    void operator()() && {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) slot.clear();
        std::move(handler)(code);
    }
};

struct StartSleep {
    Process* process;
    Instant due;

    template <class Handler>
    void operator()(Handler&& handler) const {
        using Wake = WakeUp<std::decay_t<Handler>>;
        Kernel& kernel = process->kernel();
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto* task = kernel.at(*process, due, Wake{std::forward<Handler>(handler), {}});
        if (!slot.is_connected()) return;
        slot.assign([task, sleeper = process](asio::cancellation_type) {
            // Cleared before the wake-up runs, so the task is still pending here.
            Wake wake = sleeper->kernel().take_back(task);
            wake.code = asio::error::operation_aborted;
            auto waking = asio::get_associated_cancellation_slot(wake.handler);
            sleeper->kernel().post(*sleeper, std::move(wake));
            waking.clear();
        });
    }
};

} // namespace detail

/// Completes `void(error_code)` at `due`, on the process's executor, never inline.
/// **Cancellation**: all types; completes with `operation_aborted`.
template <class CompletionToken>
auto async_sleep_until(Process& process, Instant due, CompletionToken&& token) {
    return asio::async_initiate<CompletionToken, void(error_code)>(
        detail::StartSleep{&process, due}, token);
}

} // namespace crier::sim
