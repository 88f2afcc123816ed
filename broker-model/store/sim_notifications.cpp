#include "broker-model/store/sim_notifications.hpp"

#include "broker-model/store/database_server.hpp"
#include "broker-model/store/sim_connection.hpp"

namespace crier::broker {

namespace {

class ServeListen {
public:
    ServeListen(Database& database, ListenRequest request)
        : database_(&database), request_(std::move(request)) {}

    void operator()(sim::Process&, DatabaseServer::Reply reply) {
        if (answers_falsely(reply)) return;
        DatabaseServer* const server = database_->server();
        if (server != nullptr) server->listen(std::move(request_), std::move(reply));
    }

private:
    Database* database_;
    ListenRequest request_;
};

class SimListener final : public Listener {
public:
    SimListener(Database& database, sim::Process& process) : connection_(database, process) {}

    [[nodiscard]] SimConnection& connection() { return connection_; }

    // What came before the end is told before it, as it was sent.
    [[nodiscard]] asio::awaitable<Outcome<bool>> wait(Duration limit) override {
        ClientEnd& end = connection_.end();
        const Instant now = connection_.process().kernel().now();
        const bool waits = !end.was_notified && !end.is_lost && limit > Duration::zero();
        if (waits) co_await end.news.wait_until(now + std::min(limit, Instant::max() - now));
        if (std::exchange(end.was_notified, false)) co_return true;
        if (end.is_lost) co_return surely(StoreError::connection_lost);
        co_return false;
    }

private:
    SimConnection connection_;
};

} // namespace

SimNotifications::SimNotifications(Database& database, sim::Node& home, StoreOptions options)
    : database_(database), process_(home.process()), options_(options) {}

asio::awaitable<Outcome<std::unique_ptr<Listener>>> SimNotifications::listen(std::string channel) {
    auto listener = std::make_unique<SimListener>(database_, process_);
    SimConnection& connection = listener->connection();
    sim::CallOptions call;
    call.timeout = options_.request_timeout;
    ListenRequest request;
    request.connection = connection.request();
    request.channel = std::move(channel);
    ServeListen serve(database_, std::move(request));
    const Outcome<SqlAnswer> answer =
        co_await connection.ask<SqlAnswer>(sql_listen, call, std::move(serve));
    if (!answer) {
        const bool unheard = answer.error().code == sim::CallError::refused;
        co_return surely(unheard ? StoreError::unavailable : StoreError::connection_lost);
    }
    if (!answer->is_ok()) co_return surely(answer->error);
    connection.stand();
    co_return std::unique_ptr<Listener>(std::move(listener));
}

} // namespace crier::broker
