#include "messaging/postgres/connector.hpp"

#include "messaging/postgres/ask.hpp"

#include <libpq-fe.h>

#include <array>
#include <utility>

namespace crier::messaging::postgres {

namespace {

struct FreeResult {
    void operator()(pg_result* result) const { PQclear(result); }
};

/// libpq keeps no code of why it could not connect; the server's words are there in its language.
/// One that begins or ends says so by these alone, at once and to everybody.
Failure refused(const pg_conn* connection) {
    const std::string_view words = PQerrorMessage(connection);
    StoreError error = StoreError::unavailable;
    if (words.find("too many clients") != std::string_view::npos ||
        words.find("remaining connection slots") != std::string_view::npos ||
        words.find("too many connections") != std::string_view::npos) {
        error = StoreError::too_many_connections;
    } else if (words.find("the database system is") != std::string_view::npos) {
        error = StoreError::shutdown;
    }
    return {error, Certainty::failed};
}

/// Connects and sets the session up; blocks.
Outcome<Handle> connect(const PostgresOptions& options) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(options.connect_timeout).count();
    const std::string timeout = std::to_string(seconds);
    const std::array<const char*, 5> keywords{"connect_timeout", "dbname", "client_encoding",
                                              "fallback_application_name", nullptr};
    const std::array<const char*, 5> values{timeout.c_str(), options.connection.c_str(), "UTF8",
                                            "crier", nullptr};
    const Handle handle(PQconnectdbParams(keywords.data(), values.data(), 1), PQfinish);
    if (handle == nullptr) return Failure{StoreError::unavailable, Certainty::failed};
    if (PQstatus(handle.get()) != CONNECTION_OK) return refused(handle.get());
    // What the server remarks on statements is nobody's business here.
    PQsetNoticeReceiver(
        handle.get(), [](void*, const pg_result*) {}, nullptr);
    for (const std::string& sql : options.session_setup) {
        const std::unique_ptr<pg_result, FreeResult> done(PQexec(handle.get(), sql.c_str()));
        const ExecStatusType status = PQresultStatus(done.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            return Failure{StoreError::unavailable, Certainty::failed};
    }
    return handle;
}

} // namespace

Connector::Connector(asio::any_io_executor home, PostgresOptions options)
    : home_(std::move(home)), options_(std::move(options)), worker_(home_) {}

void Connector::open(Answer<Outcome<ConnectionPtr>> answer) {
    worker_.post([this, answer = std::move(answer), home = home_] {
        Outcome<Handle> handle = connect(options_);
        const std::size_t statements_max = options_.statements_max;
        asio::post(home, [answer, home, statements_max, handle = std::move(handle)]() mutable {
            if (!handle) return answer(handle.error());
            answer(std::make_shared<Connection>(home, std::move(*handle), statements_max));
        });
    });
}

asio::awaitable<Outcome<ConnectionPtr>> Connector::open() {
    return ask<Outcome<ConnectionPtr>>(
        home_, [this](Answer<Outcome<ConnectionPtr>> answer) { open(std::move(answer)); });
}

} // namespace crier::messaging::postgres
