#pragma once

#include "messaging/ports/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

// One thread for one library that blocks: jobs run on it in the order given, answers come back to
// the executor of the process. So no handler of the process ever waits inside such a library, and
// the library is used by one thread at a time.

namespace crier::messaging {

/// Gives the one answer to a question; may be kept and called later. Call it on the worker only.
template <class R>
using Answer = std::function<void(R)>;

/// A thread that does the blocking for a process.
/// **Lifetime**: the context of `home` outlives the worker. Destroying it waits for jobs under way.
class AsioWorker {
public:
    explicit AsioWorker(asio::any_io_executor home) : home_(std::move(home)), thread_(1) {}
    ~AsioWorker() { join(); }
    AsioWorker(const AsioWorker&) = delete;
    AsioWorker& operator=(const AsioWorker&) = delete;

    /// Runs `job` on the worker, result ignored. A job given after `join` is dropped.
    void post(std::function<void()> job) { asio::post(thread_, std::move(job)); }

    /// Waits until every job given so far has ended, and ends the thread.
    void join() { thread_.join(); }

    /// Runs `job` on the worker and completes on `home` with what it returns.
    /// **Cancellation**: none; what was begun in the library ends there.
    template <class R>
    [[nodiscard]] asio::awaitable<R> run(std::function<R()> job) {
        return ask<R>([job = std::move(job)](const Answer<R>& answer) { answer(job()); });
    }

    /// Runs `job` on the worker and completes on `home` when the answer that it gets was called.
    template <class R>
    [[nodiscard]] asio::awaitable<R> ask(std::function<void(Answer<R>)> job) {
        return asio::async_initiate<const asio::use_awaitable_t<>, void(R)>(
            [this](auto handler, std::function<void(Answer<R>)> question) {
                this->template question_to_thread<R>(std::move(handler), std::move(question));
            },
            asio::use_awaitable, std::move(job));
    }

private:
    template <class R, class CompletionHandler>
    void question_to_thread(CompletionHandler handler, std::function<void(Answer<R>)> question) {
        // std::function wants copies; the handler itself exists once.
        auto kept = std::make_shared<CompletionHandler>(std::move(handler));
        Answer<R> answer = [kept, home = home_](R result) {
            asio::post(home, [kept, result = std::move(result)]() mutable {
                std::move (*kept)(std::move(result));
            });
        };
        post([question = std::move(question), answer = std::move(answer)] { question(answer); });
    }

    asio::any_io_executor home_;
    asio::thread_pool thread_;
};

} // namespace crier::messaging
