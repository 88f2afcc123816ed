#pragma once

#include "messaging/ports/background.hpp"
#include "messaging/ports/change_stream.hpp"
#include "messaging/postgres/postgres_options.hpp"

#include <memory>

namespace crier::messaging::postgres {

class Connector;

/// Logical decoding by the functions of SQL and the plugin test_decoding, which Debian's
/// `postgresql` has with it; the server needs `wal_level = logical`. A stream has a connection of
/// its own and asks again every `poll_interval`; each time the server decodes what is not confirmed
/// once more, so confirm often. Set `tcp_keepalives_idle` in `session_setup`, or the server keeps
/// the slot for hours for a reader whose machine is gone. Tables of the connection's first schema
/// come by their bare names, others as `schema.table`.
/// **Lifetime**: the executor's context outlives this and its streams.
class PostgresChangeStreams final : public ChangeStreams {
public:
    /// **Requires**: valid options.
    PostgresChangeStreams(Background& background, PostgresOptions options,
                          Duration poll_interval = std::chrono::milliseconds(50));
    ~PostgresChangeStreams() override;
    PostgresChangeStreams(const PostgresChangeStreams&) = delete;
    PostgresChangeStreams& operator=(const PostgresChangeStreams&) = delete;

    /// Waits, when the slot is new, for the transactions that are under way.
    [[nodiscard]] asio::awaitable<Outcome<std::unique_ptr<ChangeStream>>>
    open(std::string slot) override;

private:
    std::unique_ptr<Connector> connector_;
    Duration poll_interval_;
};

} // namespace crier::messaging::postgres
