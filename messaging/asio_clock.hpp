#pragma once

#include "messaging/ports/clock.hpp"

#include <boost/asio/any_io_executor.hpp>

// The clock port over the machine's clocks and Asio's timers: what production runs on. The only
// place of the product code that asks the machine for the time.

namespace crier::messaging {

/// The real clocks. **Lifetime**: the executor's context outlives every `sleep`.
class AsioClock final : public Clock {
public:
    /// **Requires**: `executor` runs one handler at a time.
    explicit AsioClock(asio::any_io_executor executor);

    [[nodiscard]] Instant now() const override;
    [[nodiscard]] WallTime wall_now() const override;
    [[nodiscard]] asio::awaitable<void> sleep(Duration duration) override;

private:
    asio::any_io_executor executor_;
};

} // namespace crier::messaging
