#include "messaging/postgres/connection.hpp"

#include "messaging/postgres/ask.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace crier::messaging::postgres {

namespace {

Failure lost() {
    return {StoreError::connection_lost, Certainty::failed};
}

bool is_success(const pg_result& result) {
    const ExecStatusType status = PQresultStatus(&result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

} // namespace

void Connection::FreeResult::operator()(pg_result* result) const {
    PQclear(result);
}

Connection::Connection(asio::any_io_executor home, Handle handle, std::size_t statements_max)
    : home_(std::move(home)), handle_(std::move(handle)), socket_(home_),
      statements_max_(statements_max) {
    PQsetnonblocking(handle_.get(), 1);
    const int second = dup(PQsocket(handle_.get()));
    if (second >= 0) socket_.assign(second);
}

void Connection::run(Command command, Answer<Outcome<Rows>> answer) {
    queue_.push_back({std::move(command), std::move(answer)});
    start_next();
}

asio::awaitable<Outcome<Rows>> Connection::run(Command command) {
    return ask<Outcome<Rows>>(home_, [self = shared_from_this(),
                                      command = std::move(command)](Answer<Outcome<Rows>> answer) {
        self->run(command, std::move(answer));
    });
}

bool Connection::is_broken() const {
    return !socket_.is_open() || PQstatus(handle_.get()) != CONNECTION_OK;
}

bool Connection::is_alive() {
    // A server that went may have left its last words, and the end behind them.
    if (is_broken() || PQconsumeInput(handle_.get()) != 1) return false;
    if (PQconsumeInput(handle_.get()) != 1) return false;
    return PQisBusy(handle_.get()) == 0 && is_idle();
}

bool Connection::is_idle() const {
    return !is_broken() && !current_ && queue_.empty() &&
           PQtransactionStatus(handle_.get()) == PQTRANS_IDLE;
}

void Connection::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    handle_.reset();
    if (current_) {
        has_failed_ = true;
        finish(outcome());
    }
    hear();
}

std::string Connection::quoted(const std::string& name) const {
    char* const escaped = PQescapeIdentifier(handle_.get(), name.data(), name.size());
    if (escaped == nullptr) return {};
    std::string copy = escaped;
    PQfreemem(escaped);
    return copy;
}

void Connection::start_next() {
    while (!current_ && !queue_.empty()) {
        current_ = std::move(queue_.front());
        queue_.pop_front();
        start();
    }
}

void Connection::start() {
    if (is_broken()) return finish(lost());
    Job& job = *current_;
    job.phase = Phase::running;
    if (job.command.is_prepared) {
        const auto known = prepared_.find(job.command.sql);
        if (known == prepared_.end()) {
            job.phase = prepared_.size() < statements_max_ ? Phase::preparing : Phase::forgetting;
        }
    }
    send();
}

/// Begins a phase of the command under way.
void Connection::send() {
    last_.reset();
    sqlstate_.clear();
    has_failed_ = false;
    if (send_phase()) return wait();
    // Refused before anything left; what libpq says of it has no code.
    if (!is_broken()) return finish(Failure{StoreError::statement_error, Certainty::failed});
    close();
}

bool Connection::send_phase() {
    pg_conn* const server = handle_.get();
    const Command& command = current_->command;
    switch (current_->phase) {
    case Phase::forgetting: {
        const std::string sql = oldest();
        forgotten_ = prepared_.at(sql).name;
        prepared_.erase(sql);
        return PQsendQuery(server, ("deallocate " + forgotten_).c_str()) == 1;
    }
    case Phase::preparing: {
        const std::string name = "s" + std::to_string(++names_);
        return PQsendPrepare(server, name.c_str(), command.sql.c_str(), 0, nullptr) == 1;
    }
    case Phase::describing: {
        const std::string name = "s" + std::to_string(names_);
        return PQsendDescribePrepared(server, name.c_str()) == 1;
    }
    case Phase::running: break;
    }
    if (!command.is_prepared) return PQsendQuery(server, command.sql.c_str()) == 1;
    return send_prepared();
}

bool Connection::send_prepared() {
    const Command& command = current_->command;
    Prepared& prepared = prepared_.at(command.sql);
    prepared.used_at = ++uses_;
    const std::optional<BoundValues> bound = bind_values(command.values, prepared.types);
    if (!bound) return false;
    return PQsendQueryPrepared(handle_.get(), prepared.name.c_str(),
                               static_cast<int>(command.values.size()), bound->values.data(),
                               bound->lengths.data(), bound->formats.data(), 0) == 1;
}

/// Waits for the socket, until all is sent and then until all is read.
void Connection::wait() {
    if (PQflush(handle_.get()) == 1 && !is_writing_) {
        is_writing_ = true;
        socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                           [self = shared_from_this()](const error_code& error) {
                               self->is_writing_ = false;
                               if (!error && self->current_) self->wait();
                           });
    }
    wait_readable();
}

void Connection::wait_readable() {
    if (is_reading_) return;
    is_reading_ = true;
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const error_code& error) {
                           self->is_reading_ = false;
                           if (!error) return self->readable();
                           // Cancelled for one who waited, while another waits already.
                           const bool is_wanted = self->current_ || self->notified_;
                           if (self->socket_.is_open() && is_wanted) self->wait_readable();
                       });
}

void Connection::readable() {
    const bool is_there = PQconsumeInput(handle_.get()) == 1;
    if (current_) return is_there && PQisBusy(handle_.get()) == 1 ? wait() : drain();
    // Only who listens waits without a command.
    if (!is_there) return close();
    hear();
    if (notified_) wait_readable();
}

/// Reads the results that are there.
void Connection::drain() {
    while (is_broken() || PQisBusy(handle_.get()) == 0) {
        Result result(PQgetResult(handle_.get()));
        if (result == nullptr) return phase_done();
        take(std::move(result));
        if (!socket_.is_open()) return close();
    }
    wait();
}

void Connection::take(Result result) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        // The port does not speak COPY, and there is no way out of it but this.
        has_failed_ = true;
        boost::system::error_code ignored;
        socket_.close(ignored);
    }
    if (!is_success(*result) && !has_failed_) {
        has_failed_ = true;
        const char* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
        sqlstate_ = state == nullptr ? "" : state;
    }
    last_ = std::move(result);
}

void Connection::phase_done() {
    // A result without the end that belongs to it is none: the commit comes with the end.
    if (is_broken()) return close();
    const Phase phase = current_->phase;
    if (has_failed_) {
        forget_if_stale(sqlstate_);
        return finish(outcome());
    }
    switch (phase) {
    case Phase::forgetting: current_->phase = Phase::preparing; return send();
    case Phase::preparing: current_->phase = Phase::describing; return send();
    case Phase::describing: {
        Prepared prepared;
        prepared.name = "s" + std::to_string(names_);
        for (int at = 0; at < PQnparams(last_.get()); ++at)
            prepared.types.push_back(PQparamtype(last_.get(), at));
        prepared_.emplace(current_->command.sql, std::move(prepared));
        current_->phase = Phase::running;
        return send();
    }
    case Phase::running: return finish(outcome());
    }
}

Outcome<Rows> Connection::outcome() const {
    const bool is_running = current_->phase == Phase::running;
    const Step step = is_running ? current_->command.step : Step::statement;
    if (has_failed_) {
        Refusal refusal;
        refusal.sqlstate = sqlstate_;
        refusal.is_disconnected = is_broken();
        return to_failure(refusal, step);
    }
    const std::string& tag = current_->command.tag;
    // A commit of a transaction that has failed is answered by ROLLBACK, as a success.
    if (!tag.empty() && tag != PQcmdStatus(last_.get()))
        return Failure{StoreError::aborted, Certainty::failed};
    return read_rows(*last_);
}

void Connection::finish(Outcome<Rows> outcome) {
    const Answer<Outcome<Rows>> answer = std::move(current_->answer);
    current_.reset();
    last_.reset();
    answer(std::move(outcome));
    start_next();
}

/// A plan that no longer fits its tables, or a statement that somebody else deallocated, is
/// prepared anew the next time.
void Connection::forget_if_stale(const std::string& sqlstate) {
    if (sqlstate == "0A000" || sqlstate == "26000") prepared_.erase(current_->command.sql);
}

std::string Connection::oldest() const {
    const auto found =
        std::min_element(prepared_.begin(), prepared_.end(), [](const auto& a, const auto& b) {
            return a.second.used_at < b.second.used_at;
        });
    return found->first;
}

void Connection::await_notification(Answer<Outcome<bool>> answer) {
    notified_ = std::move(answer);
    if (!is_broken() && PQconsumeInput(handle_.get()) != 1) return close();
    hear();
    if (notified_) wait_readable();
}

void Connection::stop_waiting() {
    if (!notified_) return;
    const Answer<Outcome<bool>> answer = std::exchange(notified_, nullptr);
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    answer(false);
}

/// Tells who waits for a notification what came.
void Connection::hear() {
    if (socket_.is_open()) {
        while (PGnotify* const one = PQnotifies(handle_.get())) {
            was_notified_ = true;
            PQfreemem(one);
        }
    }
    if (!notified_) return;
    if (was_notified_) {
        was_notified_ = false;
        std::exchange(notified_, nullptr)(true);
    } else if (is_broken()) {
        std::exchange(notified_, nullptr)(lost());
    }
}

} // namespace crier::messaging::postgres
