#include "messaging/postgres/postgres_notifications.hpp"

#include "messaging/ports/ensure.hpp"
#include "messaging/postgres/ask.hpp"
#include "messaging/postgres/connector.hpp"

#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace crier::messaging::postgres {

namespace {

/// The end of one wait.
struct Limit {
    Limit(const asio::any_io_executor& home, Duration limit) : timer(home, limit) {}
    asio::steady_timer timer;
    bool is_over = false; ///< Nobody waits any more; the timer may have fired already.
};

class PostgresListener final : public Listener {
public:
    explicit PostgresListener(ConnectionPtr connection) : connection_(std::move(connection)) {}
    ~PostgresListener() override { connection_->close(); }
    PostgresListener(const PostgresListener&) = delete;
    PostgresListener& operator=(const PostgresListener&) = delete;

    asio::awaitable<Outcome<bool>> wait(Duration limit) override {
        return ask<Outcome<bool>>(connection_->home(), [connection = connection_, limit](
                                                           const Answer<Outcome<bool>>& answer) {
            const auto end = std::make_shared<Limit>(connection->home(), limit);
            end->timer.async_wait([connection, end](const error_code&) {
                if (!end->is_over) connection->stop_waiting();
            });
            connection->await_notification([answer, end](Outcome<bool> heard) {
                end->is_over = true;
                end->timer.cancel();
                answer(std::move(heard));
            });
        });
    }

private:
    ConnectionPtr connection_;
};

} // namespace

PostgresNotifications::PostgresNotifications(Background& background, PostgresOptions options) {
    ensure(options.validate().empty(), "the options of PostgreSQL notifications are wrong");
    connector_ = std::make_unique<Connector>(background.executor(), std::move(options));
}

PostgresNotifications::~PostgresNotifications() = default;

asio::awaitable<Outcome<std::unique_ptr<Listener>>>
PostgresNotifications::listen(std::string channel) {
    Outcome<ConnectionPtr> opened = co_await connector_->open();
    if (!opened) co_return opened.error();
    const ConnectionPtr connection = std::move(*opened);
    // From here on it closes the connection.
    std::unique_ptr<Listener> listener = std::make_unique<PostgresListener>(connection);
    Command command;
    command.sql = "listen " + connection->quoted(channel);
    command.is_prepared = false;
    const Outcome<Rows> listening = co_await connection->run(std::move(command));
    if (!listening) co_return listening.error();
    co_return listener;
}

} // namespace crier::messaging::postgres
