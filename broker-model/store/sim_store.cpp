#include "broker-model/store/sim_store.hpp"

#include "broker-model/store/database_server.hpp"
#include "sim/world.hpp"

namespace crier::broker {

namespace {

std::size_t size_on_wire(const std::string& sql, const std::vector<Value>& parameters) {
    std::size_t size = 64 + sql.size();
    for (const Value& value : parameters) {
        const auto* const text = std::get_if<std::string>(&value);
        size += text == nullptr ? 12 : 4 + text->size();
    }
    return size;
}

/// Answers as a fault wants it, if one does; the server undoes the transaction as at any error.
/// **Returns** whether it did.
bool refuse(Database& database, std::uint64_t session, DatabaseServer::Reply& reply) {
    const sim::Forgery forgery = reply.forgery();
    if (forgery.kind != sim::Forgery::Kind::fail) return false;
    DatabaseServer* const server = database.server();
    if (server != nullptr && session != 0) server->rollback(session);
    SqlAnswer answer;
    answer.error = static_cast<StoreError>(forgery.error);
    reply.note_forged(make_error_code(answer.error).message());
    reply(std::move(answer));
    return true;
}

// What runs at the server. Classes with constructors, since g++ 12.2 mishandles aggregates that are
// made in an expression with co_await.

class ServeStatement {
public:
    ServeStatement(Database& database, SqlRequest request)
        : database_(&database), request_(std::move(request)) {}

    void operator()(sim::Process&, DatabaseServer::Reply reply) {
        if (refuse(*database_, request_.session, reply)) return;
        DatabaseServer* const server = database_->server();
        if (server != nullptr) server->statement(std::move(request_), std::move(reply));
    }

private:
    Database* database_;
    SqlRequest request_;
};

class ServeCommit {
public:
    ServeCommit(Database& database, sim::Process& client, std::uint64_t session)
        : database_(&database), client_(&client), session_(session) {}

    void operator()(sim::Process&, DatabaseServer::Reply reply) const {
        if (refuse(*database_, session_, reply)) return;
        DatabaseServer* const server = database_->server();
        if (server != nullptr) server->commit(*client_, session_, std::move(reply));
    }

private:
    Database* database_;
    sim::Process* client_;
    std::uint64_t session_;
};

class ServeRollback {
public:
    ServeRollback(Database& database, std::uint64_t session)
        : database_(&database), session_(session) {}

    void operator()(sim::Process&, DatabaseServer::Reply reply) const {
        roll_back();
        reply(SqlAnswer{});
    }

    void operator()(sim::Process&) const { roll_back(); }

private:
    void roll_back() const {
        DatabaseServer* const server = database_->server();
        if (server != nullptr) server->rollback(session_);
    }

    Database* database_;
    std::uint64_t session_;
};

Failure certainly(StoreError error) {
    return {make_error_code(error), Certainty::failed};
}

/// What a call without an answer means when the server may have executed it for good.
Failure in_doubt(const Failure& failure) {
    return {make_error_code(StoreError::connection_lost), failure.certainty};
}

bool is_refused(const Failure& failure) {
    return failure.code == sim::CallError::refused;
}

/// A transaction of one client process. The server forgets it at the first error, so later
/// statements are refused here.
class SimTransaction final : public Transaction {
public:
    SimTransaction(Database& database, sim::Process& process, StoreOptions options,
                   PooledConnection connection)
        : database_(database), process_(process), options_(options),
          connection_(std::move(connection)) {}

    ~SimTransaction() override { abandon(); }

    [[nodiscard]] asio::awaitable<Outcome<Rows>> execute(std::string sql,
                                                         std::vector<Value> parameters) override {
        if (state_ == State::failed) co_return certainly(StoreError::aborted);
        if (state_ == State::over) co_return certainly(StoreError::connection_lost);
        sim::CallOptions call;
        call.timeout = options_.request_timeout;
        call.bytes = size_on_wire(sql, parameters);
        SqlRequest request;
        request.opens = state_ == State::fresh;
        if (request.opens) session_ = database_.next_session();
        request.session = session_;
        request.client = &process_;
        request.sql = std::move(sql);
        request.parameters = std::move(parameters);
        ServeStatement serve(database_, std::move(request));
        state_ = State::open;
        Outcome<SqlAnswer> answer = co_await database_.world().network().call<SqlAnswer>(
            process_, database_.node(), sql_statement, call, std::move(serve));
        if (!answer) {
            // Nothing was kept, whatever the server did: the connection is given up, and with it
            // all of it.
            const bool unheard = is_refused(answer.error());
            state_ = State::over;
            if (!unheard) close();
            co_return certainly(unheard ? StoreError::unavailable : StoreError::connection_lost);
        }
        if (!answer->is_ok()) {
            const bool has_none = answer->error == StoreError::connection_lost ||
                                  answer->error == StoreError::too_many_connections ||
                                  answer->error == StoreError::idle_transaction_timeout;
            state_ = has_none ? State::over : State::failed;
            co_return certainly(answer->error);
        }
        co_return std::move(answer->rows);
    }

    [[nodiscard]] asio::awaitable<Outcome<void>> commit() override {
        const State before = std::exchange(state_, State::over);
        if (before == State::fresh) co_return Outcome<void>();
        if (before == State::failed) co_return certainly(StoreError::aborted);
        if (before == State::over) co_return certainly(StoreError::connection_lost);
        sim::CallOptions call;
        call.timeout = options_.request_timeout;
        ServeCommit serve(database_, process_, session_);
        const Outcome<SqlAnswer> answer = co_await database_.world().network().call<SqlAnswer>(
            process_, database_.node(), sql_commit, call, std::move(serve));
        connection_.give_back();
        if (!answer) {
            close();
            co_return in_doubt(answer.error());
        }
        if (!answer->is_ok()) co_return certainly(answer->error);
        co_return Outcome<void>();
    }

    [[nodiscard]] asio::awaitable<void> rollback() override {
        if (std::exchange(state_, State::over) != State::open) co_return;
        sim::CallOptions call;
        call.timeout = options_.request_timeout;
        ServeRollback serve(database_, session_);
        const Outcome<SqlAnswer> answer = co_await database_.world().network().call<SqlAnswer>(
            process_, database_.node(), sql_rollback, call, std::move(serve));
        if (!answer) close();
        connection_.give_back();
    }

private:
    enum class State {
        fresh, ///< The server has not heard of it.
        open,
        failed, ///< A statement failed; the server has undone it all.
        over,
    };

    void abandon() {
        if (std::exchange(state_, State::over) == State::open) close();
    }

    // Closes the connection without waiting: the server undoes what it has not committed by then. A
    // dead process sends nothing, and at the end of a run the database may be gone before it.
    void close() {
        if (!process_.is_alive()) return;
        constexpr std::size_t bytes = 64;
        database_.world().network().send(process_, database_.node(), sql_rollback, bytes, 0,
                                         ServeRollback(database_, session_));
    }

    Database& database_;
    sim::Process& process_;
    StoreOptions options_;
    PooledConnection connection_;
    State state_ = State::fresh;
    std::uint64_t session_ = 0;
};

} // namespace

SimStore::SimStore(Database& database, sim::Node& home, StoreOptions options)
    : database_(database), process_(home.process()), options_(options),
      pool_(std::make_shared<ConnectionPool>(process_, database.options().pool_size,
                                             database.options().pool_wait)) {}

asio::awaitable<Outcome<std::unique_ptr<Transaction>>> SimStore::begin() {
    PooledConnection connection(pool_);
    if (!connection.is_there()) co_await connection.wait();
    if (!connection.is_there()) co_return certainly(StoreError::unavailable);
    co_return std::make_unique<SimTransaction>(database_, process_, options_,
                                               std::move(connection));
}

asio::awaitable<Outcome<Rows>> SimStore::execute(std::string sql, std::vector<Value> parameters) {
    PooledConnection connection(pool_);
    if (!connection.is_there()) co_await connection.wait();
    if (!connection.is_there()) co_return certainly(StoreError::unavailable);
    sim::CallOptions call;
    call.timeout = options_.request_timeout;
    call.bytes = size_on_wire(sql, parameters);
    SqlRequest request;
    request.client = &process_;
    request.sql = std::move(sql);
    request.parameters = std::move(parameters);
    ServeStatement serve(database_, std::move(request));
    Outcome<SqlAnswer> answer = co_await database_.world().network().call<SqlAnswer>(
        process_, database_.node(), sql_execute, call, std::move(serve));
    if (!answer) {
        if (is_refused(answer.error())) co_return certainly(StoreError::unavailable);
        co_return in_doubt(answer.error());
    }
    if (!answer->is_ok()) co_return certainly(answer->error);
    co_return std::move(answer->rows);
}

} // namespace crier::broker
