#include "messaging/sqlite/sqlite_store.hpp"

#include "messaging/ports/ensure.hpp"
#include "messaging/sqlite/serial_database.hpp"

#include <utility>

namespace crier::messaging::sqlite {

namespace {

/// One turn at the database. It exists before its turn comes, so that a `begin` which nobody waits
/// for any more gives the turn back as well.
class SqliteTransaction final : public Transaction {
public:
    explicit SqliteTransaction(std::shared_ptr<SerialDatabase> database)
        : database_(std::move(database)), id_(database_->name_transaction()) {}
    /// Harmless after `commit` or `rollback`: whether one of them was really begun, only the
    /// database knows, since a cancelled coroutine throws before it starts what it was about to
    /// await.
    ~SqliteTransaction() override { database_->abandon(id_); }
    SqliteTransaction(const SqliteTransaction&) = delete;
    SqliteTransaction& operator=(const SqliteTransaction&) = delete;

    asio::awaitable<Outcome<void>> begin() { return database_->begin(id_); }

    asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                           std::vector<Value> parameters) override {
        return database_->execute(id_, std::move(sql), std::move(parameters));
    }

    asio::awaitable<Outcome<void>> commit() override { return database_->commit(id_); }

    asio::awaitable<void> rollback() override { return database_->rollback(id_); }

private:
    std::shared_ptr<SerialDatabase> database_;
    TransactionId id_;
};

} // namespace

std::vector<std::string> SqliteOptions::validate() const {
    std::vector<std::string> problems;
    if (path.empty()) problems.emplace_back("path: a file is needed");
    if (path == ":memory:") problems.emplace_back("path: a file is needed, not memory");
    if (busy_timeout < Duration::zero())
        problems.emplace_back("busy_timeout: must not be negative");
    if (statements_max == 0) problems.emplace_back("statements_max: must be at least 1");
    return problems;
}

SqliteStore::SqliteStore(Background& background, SqliteOptions options) {
    ensure(options.validate().empty(), "the options of an SQLite store are wrong");
    ConnectionOptions opened{std::move(options.path), options.busy_timeout, options.statements_max};
    database_ = std::make_shared<SerialDatabase>(background.executor(), std::move(opened));
}

SqliteStore::~SqliteStore() {
    database_->close();
}

asio::awaitable<Outcome<std::unique_ptr<Transaction>>> SqliteStore::begin() {
    auto transaction = std::make_unique<SqliteTransaction>(database_);
    const Outcome<void> begun = co_await transaction->begin();
    if (!begun) co_return begun.error();
    co_return std::unique_ptr<Transaction>(std::move(transaction));
}

asio::awaitable<Outcome<Rows>> SqliteStore::execute(std::string sql,
                                                    std::vector<Value> parameters) {
    const TransactionId id = database_->name_transaction();
    return database_->execute_alone(id, std::move(sql), std::move(parameters));
}

} // namespace crier::messaging::sqlite
