#pragma once

#include "messaging/ports/clock.hpp"

#include <string_view>

namespace crier {

/// The one way to start work that nobody awaits.
class Background {
public:
    virtual ~Background() = default;

    /// Returns the executor of this process; everything of the process runs on it, one at a time.
    [[nodiscard]] virtual asio::any_io_executor executor() = 0;

    /// Starts `work` on the process's executor. An exception that escapes it ends the process.
    virtual void spawn(std::string_view name, asio::awaitable<void> work) = 0;
};

} // namespace crier
