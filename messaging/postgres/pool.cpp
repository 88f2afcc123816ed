#include "messaging/postgres/pool.hpp"

#include "messaging/postgres/ask.hpp"

#include <algorithm>
#include <utility>

namespace crier::messaging::postgres {

namespace {

Failure unavailable() {
    return {StoreError::unavailable, Certainty::failed};
}

} // namespace

Pool::Pool(asio::any_io_executor home, PostgresOptions options)
    : connector_(std::make_unique<Connector>(std::move(home), std::move(options))) {}

asio::awaitable<Outcome<ConnectionPtr>> Pool::acquire() {
    return ask<Outcome<ConnectionPtr>>(
        home(), [self = shared_from_this()](Answer<Outcome<ConnectionPtr>> answer) {
            self->take(std::move(answer));
        });
}

void Pool::take(Answer<Outcome<ConnectionPtr>> answer) {
    if (is_closed_) return answer(unavailable());
    while (!idle_.empty()) {
        const ConnectionPtr connection = std::move(idle_.back());
        idle_.pop_back();
        if (!connection->is_alive()) {
            connection->close();
            continue;
        }
        used_.push_back(connection);
        return answer(connection);
    }
    queue(std::move(answer));
    open_for_waiting();
}

void Pool::queue(Answer<Outcome<ConnectionPtr>> answer) {
    Waiting waiting{++tickets_, std::move(answer), nullptr};
    waiting.timer =
        std::make_shared<asio::steady_timer>(home(), connector_->options().connection_wait);
    waiting.timer->async_wait([self = shared_from_this(), id = waiting.id](const error_code& end) {
        if (!end) self->give_up(id);
    });
    waiting_.push_back(std::move(waiting));
}

void Pool::give_up(std::uint64_t id) {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [id](const Waiting& waiting) { return waiting.id == id; });
    if (found == waiting_.end()) return;
    const Waiting late = std::move(*found);
    waiting_.erase(found);
    late.answer(unavailable());
}

void Pool::release(const ConnectionPtr& connection) {
    std::erase(used_, connection);
    if (is_closed_ || !connection->is_idle()) {
        connection->close();
    } else if (!serve(connection)) {
        idle_.push_back(connection);
    }
    open_for_waiting();
}

/// Hands the connection to the first who waits. **Returns** whether somebody did.
bool Pool::serve(const ConnectionPtr& connection) {
    if (waiting_.empty()) return false;
    const Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    first.timer->cancel();
    used_.push_back(connection);
    first.answer(connection);
    return true;
}

void Pool::open_for_waiting() {
    while (!is_closed_ && opening_ < waiting_.size() &&
           idle_.size() + used_.size() + opening_ < connector_->options().connections_max) {
        ++opening_;
        connector_->open([weak = weak_from_this()](Outcome<ConnectionPtr> connection) {
            if (const auto self = weak.lock()) self->opened(std::move(connection));
        });
    }
}

void Pool::opened(Outcome<ConnectionPtr> connection) {
    --opening_;
    if (!connection) {
        // Those that are in use will come back; without any, nobody need wait.
        if (used_.empty() && opening_ == 0) refuse_waiting(connection.error());
        return;
    }
    if (is_closed_) return (*connection)->close();
    if (!serve(*connection)) idle_.push_back(*connection);
}

void Pool::refuse_waiting(const Failure& failure) {
    std::deque<Waiting> refused;
    refused.swap(waiting_);
    for (const Waiting& waiting : refused) {
        waiting.timer->cancel();
        waiting.answer(failure);
    }
}

void Pool::close() {
    is_closed_ = true;
    refuse_waiting(unavailable());
    for (const ConnectionPtr& connection : std::exchange(idle_, {}))
        connection->close();
    for (const ConnectionPtr& connection : std::exchange(used_, {}))
        connection->close();
}

} // namespace crier::messaging::postgres
