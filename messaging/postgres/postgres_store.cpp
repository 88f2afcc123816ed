#include "messaging/postgres/postgres_store.hpp"

#include "messaging/ports/ensure.hpp"
#include "messaging/postgres/ask.hpp"
#include "messaging/postgres/pool.hpp"

#include <utility>

namespace crier::messaging::postgres {

namespace {

Failure aborted() {
    return {StoreError::aborted, Certainty::failed};
}

Command control(Step step, std::string sql, std::string tag) {
    Command command;
    command.step = step;
    command.sql = std::move(sql);
    command.is_prepared = false;
    command.tag = std::move(tag);
    return command;
}

/// A transaction's connection until its end. What is asked keeps it, so that a transaction may be
/// destroyed while its last statement runs.
class OpenTransaction final : public std::enable_shared_from_this<OpenTransaction> {
public:
    OpenTransaction(std::shared_ptr<Pool> pool, ConnectionPtr connection)
        : pool_(std::move(pool)), connection_(std::move(connection)) {}

    void begin(const Answer<Outcome<Rows>>& answer) {
        run(control(Step::statement, "begin", "BEGIN"), answer);
    }

    void execute(std::string sql, std::vector<Value> values, const Answer<Outcome<Rows>>& answer) {
        if (has_ended_ || has_failed_) return answer(aborted());
        Command command;
        command.sql = std::move(sql);
        command.values = std::move(values);
        run(std::move(command), answer);
    }

    void commit(const Answer<Outcome<void>>& answer) {
        if (has_ended_ || has_failed_) return rollback([answer](bool) { answer(aborted()); });
        has_ended_ = true;
        connection_->run(control(Step::commit, "commit", "COMMIT"),
                         [self = shared_from_this(), answer](const Outcome<Rows>& done) {
                             self->pool_->release(self->connection_);
                             if (!done) return answer(done.error());
                             answer({});
                         });
    }

    /// Undoes what is left and gives the connection back; harmless when it is over.
    void rollback(const Answer<bool>& answer) {
        if (has_ended_) return answer(false);
        has_ended_ = true;
        connection_->run(control(Step::statement, "rollback", {}),
                         [self = shared_from_this(), answer](const Outcome<Rows>&) {
                             self->pool_->release(self->connection_);
                             answer(true);
                         });
    }

private:
    void run(Command command, const Answer<Outcome<Rows>>& answer) {
        connection_->run(std::move(command),
                         [self = shared_from_this(), answer](const Outcome<Rows>& rows) {
                             if (!rows) self->has_failed_ = true;
                             answer(rows);
                         });
    }

    std::shared_ptr<Pool> pool_;
    ConnectionPtr connection_;
    bool has_failed_ = false;
    bool has_ended_ = false;
};

class PostgresTransaction final : public Transaction {
public:
    PostgresTransaction(std::shared_ptr<Pool> pool, ConnectionPtr connection)
        : home_(pool->home()),
          open_(std::make_shared<OpenTransaction>(std::move(pool), std::move(connection))) {}
    ~PostgresTransaction() override {
        open_->rollback([](bool) {});
    }
    PostgresTransaction(const PostgresTransaction&) = delete;
    PostgresTransaction& operator=(const PostgresTransaction&) = delete;

    asio::awaitable<Outcome<Rows>> begin() {
        return ask<Outcome<Rows>>(
            home_, [open = open_](const Answer<Outcome<Rows>>& answer) { open->begin(answer); });
    }

    asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                           std::vector<Value> parameters) override {
        return ask<Outcome<Rows>>(
            home_,
            [open = open_, sql = std::move(sql), values = std::move(parameters)](
                const Answer<Outcome<Rows>>& answer) { open->execute(sql, values, answer); });
    }

    asio::awaitable<Outcome<void>> commit() override {
        return ask<Outcome<void>>(
            home_, [open = open_](const Answer<Outcome<void>>& answer) { open->commit(answer); });
    }

    asio::awaitable<void> rollback() override {
        std::function<void(Answer<bool>)> end = [open = open_](const Answer<bool>& answer) {
            open->rollback(answer);
        };
        co_await ask<bool>(home_, std::move(end));
    }

private:
    asio::any_io_executor home_;
    std::shared_ptr<OpenTransaction> open_;
};

} // namespace

PostgresStore::PostgresStore(Background& background, PostgresOptions options) {
    ensure(options.validate().empty(), "the options of a PostgreSQL store are wrong");
    pool_ = std::make_shared<Pool>(background.executor(), std::move(options));
}

PostgresStore::~PostgresStore() {
    pool_->close();
}

asio::awaitable<Outcome<std::unique_ptr<Transaction>>> PostgresStore::begin() {
    const std::shared_ptr<Pool> pool = pool_;
    Outcome<ConnectionPtr> acquired = co_await pool->acquire();
    if (!acquired) co_return acquired.error();
    auto transaction = std::make_unique<PostgresTransaction>(pool, std::move(*acquired));
    const Outcome<Rows> begun = co_await transaction->begin();
    if (!begun) co_return begun.error();
    co_return std::unique_ptr<Transaction>(std::move(transaction));
}

asio::awaitable<Outcome<Rows>> PostgresStore::execute(std::string sql,
                                                      std::vector<Value> parameters) {
    const std::shared_ptr<Pool> pool = pool_;
    const Outcome<ConnectionPtr> acquired = co_await pool->acquire();
    if (!acquired) co_return acquired.error();
    const Lease connection(pool, *acquired);
    Command command;
    command.step = Step::alone;
    command.sql = std::move(sql);
    command.values = std::move(parameters);
    Outcome<Rows> rows = co_await connection->run(std::move(command));
    co_return rows;
}

} // namespace crier::messaging::postgres
