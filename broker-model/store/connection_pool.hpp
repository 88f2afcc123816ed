#pragma once

#include "broker-model/wait_point.hpp"

#include <cstddef>
#include <deque>
#include <memory>

// The connections to one database that a client process shares: how many are in use. Who finds none
// free waits in turn. What a connection is at the server is the server's.

namespace crier::broker {

class ConnectionPool {
public:
    /// As many as `connections_max` are in use at a time; nobody waits longer than `wait`.
    ConnectionPool(sim::Process& process, std::size_t connections_max, Duration wait)
        : process_(process), connections_max_(connections_max), wait_(wait) {}

    /// Takes a connection if one is free.
    [[nodiscard]] bool try_acquire();

    /// Waits for a connection. **Returns** whether it got one in time.
    /// **Cancellation**: all types; it has none then.
    [[nodiscard]] asio::awaitable<bool> acquire();

    void release();

private:
    class Waiting;

    sim::Process& process_;
    std::size_t connections_max_;
    Duration wait_;
    std::size_t used_ = 0;
    std::deque<Waiting*> waiting_; // in the order in which they came
};

/// One connection of a pool until it is given back, which it is in the end.
class PooledConnection {
public:
    /// Takes one if one is free.
    explicit PooledConnection(std::shared_ptr<ConnectionPool> pool) : pool_(std::move(pool)) {
        if (!pool_->try_acquire()) waiting_for_.swap(pool_);
    }
    ~PooledConnection() { give_back(); }
    PooledConnection(PooledConnection&&) noexcept = default;
    PooledConnection& operator=(PooledConnection&&) = delete;

    [[nodiscard]] bool is_there() const { return pool_ != nullptr; }

    /// Waits for one, in turn, until there is one or the time is over.
    [[nodiscard]] asio::awaitable<void> wait() {
        const bool acquired = co_await waiting_for_->acquire();
        if (acquired) pool_.swap(waiting_for_);
    }

    void give_back() {
        if (pool_ != nullptr) std::exchange(pool_, nullptr)->release();
    }

private:
    std::shared_ptr<ConnectionPool> pool_; // of which it has one
    std::shared_ptr<ConnectionPool> waiting_for_;
};

} // namespace crier::broker
