#pragma once

#include "messaging/postgres/connector.hpp"

#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

// Connections to share. Who finds none free waits in turn, at most for `connection_wait`. A
// connection that broke, or that comes back with an open transaction, is closed.

namespace crier::messaging::postgres {

class Pool final : public std::enable_shared_from_this<Pool> {
public:
    Pool(asio::any_io_executor home, PostgresOptions options);

    /// Hands a connection out; it must come back by `release`.
    /// **Errors**: unavailable when none became free in time; those of `Connector::open`.
    [[nodiscard]] asio::awaitable<Outcome<ConnectionPtr>> acquire();

    void release(const ConnectionPtr& connection);

    /// Refuses everyone who waits, and ends all connections, those in use too.
    void close();

    [[nodiscard]] const asio::any_io_executor& home() const { return connector_->home(); }

private:
    struct Waiting {
        std::uint64_t id = 0;
        Answer<Outcome<ConnectionPtr>> answer;
        std::shared_ptr<asio::steady_timer> timer;
    };

    void take(Answer<Outcome<ConnectionPtr>> answer);
    void queue(Answer<Outcome<ConnectionPtr>> answer);
    void give_up(std::uint64_t id);
    bool serve(const ConnectionPtr& connection);
    void open_for_waiting();
    void opened(Outcome<ConnectionPtr> connection);
    void refuse_waiting(const Failure& failure);

    std::vector<ConnectionPtr> idle_; ///< The last used is used again first.
    std::vector<ConnectionPtr> used_;
    std::deque<Waiting> waiting_;
    std::size_t opening_ = 0;
    std::uint64_t tickets_ = 0;
    bool is_closed_ = false;
    std::unique_ptr<Connector> connector_;
};

/// A connection taken from a pool, given back in the end.
class Lease final {
public:
    Lease(std::shared_ptr<Pool> pool, ConnectionPtr connection)
        : pool_(std::move(pool)), connection_(std::move(connection)) {}
    ~Lease() { pool_->release(connection_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Connection* operator->() const { return connection_.get(); }

private:
    std::shared_ptr<Pool> pool_;
    ConnectionPtr connection_;
};

} // namespace crier::messaging::postgres
