#pragma once

#include "messaging/ports/change_stream.hpp"
#include "messaging/ports/notifications.hpp"
#include "messaging/ports/process.hpp"

#include <memory>
#include <string>

namespace crier::conformance {

/// What a story of notifications and change streams is told with.
class StreamStage {
public:
    virtual ~StreamStage() = default;

    [[nodiscard]] virtual ProcessPorts ports() = 0;
    [[nodiscard]] virtual Store& store() = 0;
    [[nodiscard]] virtual Notifications& notifications() = 0;
    [[nodiscard]] virtual ChangeStreams& streams() = 0;

    /// Breaks the connections of all listeners and readers.
    [[nodiscard]] virtual asio::awaitable<void> cut() = 0;

    /// The server dies in the middle of its work, and is there again.
    [[nodiscard]] virtual asio::awaitable<void> crash_server() = 0;
};

/// A database server of its own for each story.
class StreamPlace {
public:
    using Story = asio::awaitable<void> (*)(StreamStage& stage);

    /// When a commit is on the server's disk.
    enum class Flush {
        soon,
        late, ///< Only after ten seconds, though it is answered at once.
    };

    virtual ~StreamPlace() = default;

    /// Tells the story to its end. **Errors**: throws what escapes it, or when it hangs.
    virtual void run(Story story, Flush flush = Flush::soon) = 0;
};

/// Returns the simulated database server; `missing` stays as it is.
[[nodiscard]] std::unique_ptr<StreamPlace> model_stream_place(std::string& missing);

/// Returns a real PostgreSQL, or nothing where there is none; `missing` says why.
[[nodiscard]] std::unique_ptr<StreamPlace> postgres_stream_place(std::string& missing);

} // namespace crier::conformance
