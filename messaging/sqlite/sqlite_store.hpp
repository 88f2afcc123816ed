#pragma once

#include "messaging/ports/background.hpp"
#include "messaging/ports/store.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

// The store port over an SQLite file. One connection, one transaction at a time: who comes second
// waits in turn, so transactions of this store are serial. Everything of SQLite runs on a thread of
// its own.

namespace crier::messaging::sqlite {

class SerialDatabase;

struct SqliteOptions {
    std::string path; ///< Of the database file; made when it does not exist.
    Duration busy_timeout = std::chrono::seconds(5); ///< Wait for another process that writes.
    std::size_t statements_max = 64;                 ///< Prepared statements kept.

    /// Returns everything that is wrong with the options; empty: nothing.
    [[nodiscard]] std::vector<std::string> validate() const;
};

/// A database in a file: write-ahead log, synchronous FULL, foreign keys enforced. The file is
/// opened at the first use; when that fails, or the disk does later, the next use tries to open it
/// again. It understands `create sequence if not exists NAME` and `nextval('NAME')`.
/// **Lifetime**: the executor's context outlives the store. Destroying the store ends the waiting
/// for a turn with `unavailable` and waits for the statement under way; transactions that are still
/// open are rolled back then.
/// **Cancellation**: none; calls end by themselves.
class SqliteStore final : public Store {
public:
    /// **Requires**: valid options.
    SqliteStore(Background& background, SqliteOptions options);
    ~SqliteStore() override;
    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;

    /// Waits for the turn and opens a transaction that may write.
    /// **Order**: turns are given in the order of the calls.
    [[nodiscard]] asio::awaitable<Outcome<std::unique_ptr<Transaction>>> begin() override;
    [[nodiscard]] asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                                         std::vector<Value> parameters) override;

private:
    std::shared_ptr<SerialDatabase> database_;
};

} // namespace crier::messaging::sqlite
