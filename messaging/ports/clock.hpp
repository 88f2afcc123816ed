#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

// Time as a port: product code never asks the machine.

namespace crier {

namespace asio = boost::asio;

using Duration = std::chrono::nanoseconds;

/// Tag of the monotonic clock of a process; it has no `now()` of its own on purpose.
struct Monotonic {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Monotonic, Duration>;
};

/// Tag of the wall clock of a machine (since the Unix epoch); it may be wrong and may jump.
struct Wall {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Wall, Duration>;
};

using Instant = Monotonic::time_point;
using WallTime = Wall::time_point;

/// The clocks and the timer of one process.
class Clock {
public:
    virtual ~Clock() = default;

    /// Returns the monotonic time; it never goes back and is not comparable between machines.
    [[nodiscard]] virtual Instant now() const = 0;

    /// Returns what the machine's wall clock shows; machines disagree.
    [[nodiscard]] virtual WallTime wall_now() const = 0;

    /// Completes after `duration`; at once (but through the executor) when it is not positive.
    /// **Cancellation**: terminal, partial and total; throws `system_error(operation_aborted)`.
    [[nodiscard]] virtual asio::awaitable<void> sleep(Duration duration) = 0;
};

} // namespace crier
