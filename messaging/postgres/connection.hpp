#pragma once

#include "messaging/asio_worker.hpp"
#include "messaging/ports/store.hpp"
#include "messaging/postgres/postgres_errors.hpp"
#include "messaging/postgres/values.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// One connection to a server, with its prepared statements. It sends and reads when its socket is
// ready for it, on the executor of the process, and never blocks. Commands run one after the other
// in the order given; each is answered exactly once.

struct pg_conn;
struct pg_result;

namespace crier::messaging::postgres {

/// A connection of libpq, closed with its last owner.
using Handle = std::shared_ptr<pg_conn>;

/// Something to be run.
struct Command {
    Step step = Step::statement;
    std::string sql;
    std::vector<Value> values;
    bool is_prepared = true; ///< Else it is sent as a text without parameters.
    std::string tag;         ///< What the server must call it when it is done; empty: anything.
};

class Connection final : public std::enable_shared_from_this<Connection> {
public:
    /// Takes an open connection.
    Connection(asio::any_io_executor home, Handle handle, std::size_t statements_max);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Runs a command and gives `answer` its rows or why there are none.
    void run(Command command, Answer<Outcome<Rows>> answer);

    /// The same for who awaits it.
    [[nodiscard]] asio::awaitable<Outcome<Rows>> run(Command command);

    /// Returns whether the server is still there, as far as the socket shows; never waits.
    [[nodiscard]] bool is_alive();

    /// Returns whether the connection can serve somebody else: nothing runs, no transaction is
    /// open.
    [[nodiscard]] bool is_idle() const;

    /// Answers true when a notification came since the last time, false after `stop_waiting`, and
    /// fails when the connection ends. One at a time.
    void await_notification(Answer<Outcome<bool>> answer);
    void stop_waiting();

    /// Ends it now. What runs is answered as connection_lost.
    void close();

    /// Returns `name` as an identifier of SQL.
    [[nodiscard]] std::string quoted(const std::string& name) const;

    [[nodiscard]] const asio::any_io_executor& home() const { return home_; }

private:
    enum class Phase { forgetting, preparing, describing, running };

    struct Job {
        Command command;
        Answer<Outcome<Rows>> answer;
        Phase phase = Phase::running;
    };

    struct Prepared {
        std::string name;
        std::vector<TypeId> types; ///< Of the parameters.
        std::uint64_t used_at = 0;
    };

    struct FreeResult {
        void operator()(pg_result* result) const;
    };
    using Result = std::unique_ptr<pg_result, FreeResult>;

    [[nodiscard]] bool is_broken() const;
    void start_next();
    void start();
    void send();
    bool send_phase();
    bool send_prepared();
    void wait();
    void wait_readable();
    void readable();
    void drain();
    void take(Result result);
    void phase_done();
    [[nodiscard]] Outcome<Rows> outcome() const;
    void finish(Outcome<Rows> outcome);
    void hear();
    void forget_if_stale(const std::string& sqlstate);
    [[nodiscard]] std::string oldest() const;

    asio::any_io_executor home_;
    Handle handle_;
    /// A second name of the socket, since libpq closes its own when it likes.
    asio::posix::stream_descriptor socket_;
    std::size_t statements_max_;

    std::deque<Job> queue_;
    std::optional<Job> current_;
    bool is_reading_ = false;
    bool is_writing_ = false;

    // Of the phase under way.
    Result last_;
    std::string sqlstate_; ///< Of the first error.
    bool has_failed_ = false;

    std::map<std::string, Prepared> prepared_; ///< By text.
    std::string forgotten_;                    ///< Name of a statement that makes room.
    std::uint64_t uses_ = 0;
    std::uint64_t names_ = 0;

    bool was_notified_ = false;
    Answer<Outcome<bool>> notified_;
};

} // namespace crier::messaging::postgres
