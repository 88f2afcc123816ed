#pragma once

#include "messaging/ports/clock.hpp"

#include <memory>

// Waiting for something that another coroutine of the same process does. Nothing here is for
// threads, and nothing keeps time by itself: a bounded wait sleeps on the port.

namespace crier::messaging {

/// Wakes one waiting coroutine. A notification without a waiter is kept, once.
class Signal {
public:
    explicit Signal(asio::any_io_executor executor);
    ~Signal();
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

    void notify();

    /// Completes at the next notification, or at once for one that was kept.
    [[nodiscard]] asio::awaitable<void> wait();

    /// Completes like `wait`, or after `duration`, whatever comes first.
    [[nodiscard]] asio::awaitable<void> wait_for(Clock& clock, Duration duration);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Something that happens once and that any number of coroutines may wait for, before or after.
class Gate {
public:
    explicit Gate(asio::any_io_executor executor);
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    void open();
    [[nodiscard]] bool is_open() const;

    /// Completes when the gate is open.
    [[nodiscard]] asio::awaitable<void> wait();

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace crier::messaging
