#pragma once

#include "broker-model/store/embedded/embedded_database.hpp"
#include "broker-model/store/embedded/file_engine.hpp"
#include "sim/process_ports.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

// The queue of transactions before one connection to a file, in one life of its process.

namespace crier::broker {

/// Names one transaction of one queue.
using TransactionId = std::uint64_t;

class FileQueue {
public:
    FileQueue(EmbeddedDatabase& database, sim::Node& node, sim::ProcessPorts& ports);

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

    /// Refuses everyone who waits, and undoes what is open.
    void close();

private:
    using Turn = asio::experimental::channel<void(error_code)>;

    struct Waiting {
        TransactionId id;
        std::shared_ptr<Turn> turn;
    };

    [[nodiscard]] Outcome<void> start();
    void end(TransactionId id);
    void drop_if_broken();
    [[nodiscard]] asio::awaitable<void> wait_for_disk();

    EmbeddedDatabase& database_;
    sim::Node& node_;
    sim::Process& process_;
    sim::ProcessPorts& ports_;
    FileLedger& ledger_;
    std::unique_ptr<FileEngine> engine_;
    std::deque<Waiting> waiting_;
    std::optional<TransactionId> open_;
    bool aborted_ = false; // a statement of the open transaction failed
    bool closed_ = false;
    bool doubtful_ = false; // what the file holds is to be found out before it is used again
    TransactionId named_ = 0;
};

} // namespace crier::broker
