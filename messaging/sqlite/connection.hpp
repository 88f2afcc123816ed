#pragma once

#include "messaging/ports/store.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

// One connection to one SQLite file, with its prepared statements. Synchronous, used by one thread
// at a time, and it knows nothing of who waits: that is the store's business.

struct sqlite3;
struct sqlite3_stmt;

namespace crier::messaging::sqlite {

/// How a file is opened.
struct ConnectionOptions {
    std::string path;                                ///< Made when it does not exist.
    Duration busy_timeout = std::chrono::seconds(5); ///< For another process that writes.
    std::size_t statements_max = 64;                 ///< Prepared statements kept.
};

/// An open connection: write-ahead log, synchronous FULL, foreign keys enforced.
class Connection final {
public:
    /// Opens the file. **Errors**: unavailable.
    [[nodiscard]] static Outcome<std::unique_ptr<Connection>> open(ConnectionOptions options);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Takes the right to write and opens a transaction. **Errors**: lock_timeout.
    [[nodiscard]] Outcome<void> begin();

    /// Runs one statement in the open transaction.
    [[nodiscard]] Outcome<Rows> execute(const std::string& sql, const std::vector<Value>& values);

    [[nodiscard]] Outcome<void> commit();

    /// Undoes the open transaction, if any.
    void rollback();

private:
    struct Prepared {
        sqlite3_stmt* statement = nullptr;
        std::uint64_t used_at = 0;
    };

    explicit Connection(ConnectionOptions options) : options_(std::move(options)) {}
    int configure();
    int run(const char* sql);
    Outcome<sqlite3_stmt*> prepare(const std::string& sql);
    void forget_oldest();

    ConnectionOptions options_;
    sqlite3* connection_ = nullptr;
    std::map<std::string, Prepared> prepared_;
    std::uint64_t uses_ = 0;
};

} // namespace crier::messaging::sqlite
