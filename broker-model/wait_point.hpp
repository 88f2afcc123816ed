#pragma once

#include "messaging/ports/result.hpp"
#include "sim/kernel.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

// Where a coroutine of a client library waits for an answer that concerns it, without a kernel step
// of its own: who has the news resumes it inside the step that brought the news.

namespace crier::broker {

/// A place where one coroutine waits to be told something, or for time to pass. It lives at least
/// as long as the waiting, and belongs to one process.
class WaitPoint {
public:
    explicit WaitPoint(sim::Process& process) : process_(process) {}
    WaitPoint(const WaitPoint&) = delete;
    WaitPoint& operator=(const WaitPoint&) = delete;

    [[nodiscard]] bool is_waiting() const { return task_ != nullptr; }

    /// Waits to be told, until `due` (`Instant::max()`: for good). **Returns** whether it was told.
    /// **Cancellation**: all types; throws `system_error(operation_aborted)`.
    [[nodiscard]] asio::awaitable<bool> wait_until(Instant due) {
        return asio::async_initiate<const asio::use_awaitable_t<>&, void(error_code, bool)>(
            [](auto&& handler, WaitPoint* point, Instant until) {
                point->start(std::forward<decltype(handler)>(handler), until);
            },
            asio::use_awaitable, this, due);
    }

    /// Resumes who waits, if anybody, before this returns. **Requires** to be the last act of a
    /// step: the coroutine may call anything.
    void tell() {
        if (task_ != nullptr) finish_(std::exchange(task_, nullptr), {}, false);
    }

    /// Resumes who waits, if anybody, in a step of its own; for callers that are coroutines
    /// themselves.
    void tell_soon() {
        if (task_ != nullptr) finish_(std::exchange(task_, nullptr), {}, true);
    }

private:
    template <class Handler>
    struct Waiter {
        WaitPoint* point;
        Handler handler;

        void finish(error_code code, bool told) && {
            auto slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected()) slot.clear();
            std::move(handler)(code, told);
        }

        /// Its time has come.
        void operator()() && {
            point->task_ = nullptr;
            std::move(*this).finish({}, false);
        }
    };

    template <class Handler>
    void start(Handler&& handler, Instant due) {
        using Waiting = Waiter<std::decay_t<Handler>>;
        ensure(task_ == nullptr, "one coroutine at a time waits for the answer of a client");
        sim::Kernel& kernel = process_.kernel();
        auto slot = asio::get_associated_cancellation_slot(handler);
        Waiting waiter{this, std::forward<Handler>(handler)};
        task_ = kernel.at(process_, due, std::move(waiter));
        finish_ = [](sim::Operation* task, error_code code, bool later) {
            sim::Process& process = task->process();
            Waiting waiting = process.kernel().take_back(static_cast<sim::Task<Waiting>*>(task));
            if (!later) return std::move(waiting).finish(code, true);
            auto connected = asio::get_associated_cancellation_slot(waiting.handler);
            if (connected.is_connected()) connected.clear();
            process.kernel().post(process, [resumed = std::move(waiting), code]() mutable {
                std::move(resumed).finish(code, true);
            });
        };
        if (!slot.is_connected()) return;
        slot.assign([this](asio::cancellation_type) {
            finish_(std::exchange(task_, nullptr), asio::error::operation_aborted, true);
        });
    }

    sim::Process& process_;
    sim::Operation* task_ = nullptr;
    void (*finish_)(sim::Operation*, error_code, bool) = nullptr;
};

} // namespace crier::broker
