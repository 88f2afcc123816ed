#pragma once

#include "messaging/asio_worker.hpp"
#include "messaging/ports/store.hpp"
#include "messaging/sqlite/connection.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// The queue of transactions before one connection. The public functions are called by the process
// and only hand jobs to the worker; everything else, the turn included, lives on the worker's
// thread, so there is nothing to lock. The worker keeps order, which is why a transaction that was
// given up before its turn came is found waiting or open, but never comes later.

namespace crier::messaging::sqlite {

/// Names one transaction of one database.
using TransactionId = std::uint64_t;

class SerialDatabase final {
public:
    SerialDatabase(asio::any_io_executor home, ConnectionOptions options);

    /// Returns an id for `begin`.
    [[nodiscard]] TransactionId name_transaction() { return ++named_; }

    /// Waits for the turn of `id` and opens its transaction.
    [[nodiscard]] asio::awaitable<Outcome<void>> begin(TransactionId id);

    [[nodiscard]] asio::awaitable<Outcome<Rows>> execute(TransactionId id, std::string sql,
                                                         std::vector<Value> values);

    /// Commits and passes the turn on.
    [[nodiscard]] asio::awaitable<Outcome<void>> commit(TransactionId id);

    /// Undoes everything, or gives the place in the queue up, and passes the turn on.
    [[nodiscard]] asio::awaitable<void> rollback(TransactionId id);

    /// The same without waiting; does nothing when the transaction has ended.
    void abandon(TransactionId id);

    /// Waits for turn and end of one statement with a transaction of its own.
    [[nodiscard]] asio::awaitable<Outcome<Rows>> execute_alone(TransactionId id, std::string sql,
                                                               std::vector<Value> values);

    /// Refuses everyone who waits, undoes what is open, and ends the thread.
    void close();

private:
    struct Waiting {
        TransactionId id = 0;
        std::function<void(const Outcome<void>&)> started; ///< Told the outcome of the begin.
    };

    void queue(Waiting waiting);
    void start_next();
    Outcome<void> start();
    void end(TransactionId id);
    Outcome<Rows> execute_now(TransactionId id, const std::string& sql,
                              const std::vector<Value>& values);
    Outcome<void> commit_now(TransactionId id);
    void drop_if_broken(const Failure& failure);

    TransactionId named_ = 0;

    ConnectionOptions options_;
    std::unique_ptr<Connection> connection_;
    std::deque<Waiting> waiting_;
    std::optional<TransactionId> open_;
    bool aborted_ = false; ///< A statement of the open transaction failed.
    bool starting_ = false;
    bool closing_ = false;

    AsioWorker worker_; ///< Last: its end waits for the jobs that use the rest.
};

} // namespace crier::messaging::sqlite
