#include "messaging/sqlite/serial_database.hpp"

#include <algorithm>
#include <utility>

namespace crier::messaging::sqlite {

namespace {

Failure failed(StoreError error) {
    return {error, Certainty::failed};
}

} // namespace

SerialDatabase::SerialDatabase(asio::any_io_executor home, ConnectionOptions options)
    : options_(std::move(options)), worker_(std::move(home)) {}

asio::awaitable<Outcome<void>> SerialDatabase::begin(TransactionId id) {
    return worker_.ask<Outcome<void>>([this, id](const Answer<Outcome<void>>& answer) {
        queue({id, [answer](const Outcome<void>& started) { answer(started); }});
    });
}

asio::awaitable<Outcome<Rows>> SerialDatabase::execute(TransactionId id, std::string sql,
                                                       std::vector<Value> values) {
    return worker_.run<Outcome<Rows>>([this, id, sql = std::move(sql), values = std::move(values)] {
        return execute_now(id, sql, values);
    });
}

asio::awaitable<Outcome<void>> SerialDatabase::commit(TransactionId id) {
    return worker_.run<Outcome<void>>([this, id] {
        const Outcome<void> committed = commit_now(id);
        end(id);
        return committed;
    });
}

asio::awaitable<void> SerialDatabase::rollback(TransactionId id) {
    std::function<bool()> job = [this, id] {
        end(id);
        return true;
    };
    co_await worker_.run<bool>(std::move(job));
}

void SerialDatabase::abandon(TransactionId id) {
    worker_.post([this, id] { end(id); });
}

asio::awaitable<Outcome<Rows>> SerialDatabase::execute_alone(TransactionId id, std::string sql,
                                                             std::vector<Value> values) {
    return worker_.ask<Outcome<Rows>>([this, id, sql = std::move(sql), values = std::move(values)](
                                          const Answer<Outcome<Rows>>& answer) {
        queue({id, [this, id, sql, values, answer](const Outcome<void>& started) {
                   if (!started) return answer(started.error());
                   Outcome<Rows> rows = execute_now(id, sql, values);
                   if (rows) {
                       const Outcome<void> committed = commit_now(id);
                       if (!committed) rows = committed.error();
                   }
                   end(id);
                   answer(std::move(rows));
               }});
    });
}

void SerialDatabase::close() {
    worker_.post([this] {
        closing_ = true;
        std::deque<Waiting> refused;
        refused.swap(waiting_);
        for (const Waiting& waiting : refused)
            waiting.started(failed(StoreError::unavailable));
        open_.reset();
        connection_.reset();
    });
    worker_.join();
}

void SerialDatabase::queue(Waiting waiting) {
    if (closing_) return waiting.started(failed(StoreError::unavailable));
    waiting_.push_back(std::move(waiting));
    start_next();
}

void SerialDatabase::start_next() {
    // What is told may end at once and come back here: the loop goes on then, not a recursion.
    if (starting_) return;
    starting_ = true;
    while (!open_ && !waiting_.empty()) {
        const Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        open_ = next.id;
        aborted_ = false;
        const Outcome<void> started = start();
        if (!started) open_.reset();
        next.started(started);
    }
    starting_ = false;
}

Outcome<void> SerialDatabase::start() {
    if (!connection_) {
        Outcome<std::unique_ptr<Connection>> opened = Connection::open(options_);
        if (!opened) return opened.error();
        connection_ = std::move(*opened);
    }
    const Outcome<void> begun = connection_->begin();
    if (!begun) drop_if_broken(begun.error());
    return begun;
}

void SerialDatabase::end(TransactionId id) {
    if (open_ != id) {
        std::erase_if(waiting_, [id](const Waiting& waiting) { return waiting.id == id; });
        return;
    }
    if (connection_) connection_->rollback();
    open_.reset();
    start_next();
}

Outcome<Rows> SerialDatabase::execute_now(TransactionId id, const std::string& sql,
                                          const std::vector<Value>& values) {
    if (open_ != id || aborted_) return failed(StoreError::aborted);
    Outcome<Rows> rows = connection_->execute(sql, values);
    if (!rows) {
        aborted_ = true;
        drop_if_broken(rows.error());
    }
    return rows;
}

Outcome<void> SerialDatabase::commit_now(TransactionId id) {
    if (open_ != id || aborted_) return failed(StoreError::aborted);
    Outcome<void> committed = connection_->commit();
    if (!committed) drop_if_broken(committed.error());
    return committed;
}

/// A connection that the disk failed under is not trusted again; a new one reads the log anew.
void SerialDatabase::drop_if_broken(const Failure& failure) {
    if (failure.code == StoreError::connection_lost || failure.code == StoreError::unavailable) {
        connection_.reset();
    }
}

} // namespace crier::messaging::sqlite
