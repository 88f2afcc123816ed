#include "broker-model/store/connection_pool.hpp"

#include <algorithm>

namespace crier::broker {

/// Stands in line as long as it lives; what it was given and did not take goes back.
class ConnectionPool::Waiting {
public:
    explicit Waiting(ConnectionPool& pool) : pool_(pool), point_(pool.process_) {
        pool_.waiting_.push_back(this);
    }
    ~Waiting() {
        std::erase(pool_.waiting_, this);
        if (is_served_) pool_.release();
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    [[nodiscard]] asio::awaitable<bool> wait_until(Instant due) { return point_.wait_until(due); }

    void serve() {
        is_served_ = true;
        point_.tell_soon();
    }

    [[nodiscard]] bool take() { return std::exchange(is_served_, false); }

private:
    ConnectionPool& pool_;
    WaitPoint point_;
    bool is_served_ = false;
};

bool ConnectionPool::try_acquire() {
    if (used_ == connections_max_ || !waiting_.empty()) return false;
    ++used_;
    return true;
}

asio::awaitable<bool> ConnectionPool::acquire() {
    if (try_acquire()) co_return true;
    Waiting waiting(*this);
    const Instant due = process_.kernel().now() + wait_;
    const bool told = co_await waiting.wait_until(due);
    (void)told; // it may have been served at the last moment
    co_return waiting.take();
}

void ConnectionPool::release() {
    if (!process_.is_alive()) return;
    if (waiting_.empty()) {
        --used_;
        return;
    }
    Waiting* const first = waiting_.front();
    waiting_.pop_front();
    first->serve();
}

} // namespace crier::broker
