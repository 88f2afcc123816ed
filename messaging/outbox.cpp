#include "messaging/outbox.hpp"

#include "messaging/header_codec.hpp"
#include "messaging/statement.hpp"

#include <algorithm>
#include <utility>

namespace crier::messaging {

namespace {

// SQLite allows 32,766 parameters in a statement, PostgreSQL twice as many.
constexpr std::size_t rows_max = 1000;
constexpr std::size_t columns = 4; // and the time, which all rows share

Statement insertion(const std::string& table, std::vector<Message>& messages, std::size_t first,
                    std::int64_t now) {
    const std::size_t count = std::min(rows_max, messages.size() - first);
    Statement statement;
    statement.sql = "insert into " + table + " (created_at, id, key, body, headers) values ";
    statement.parameters.reserve(columns * count + 1);
    statement.parameters.emplace_back(now);
    for (std::size_t row = 0; row < count; ++row) {
        Message& message = messages[first + row];
        statement.sql += row == 0 ? "($1" : ", ($1";
        for (std::size_t column = 0; column < columns; ++column) {
            statement.sql += ", $";
            statement.sql += std::to_string(columns * row + column + 2);
        }
        statement.sql += ')';
        statement.parameters.emplace_back(std::move(message.id));
        statement.parameters.emplace_back(std::move(message.key));
        statement.parameters.emplace_back(std::move(message.body));
        statement.parameters.emplace_back(encode_headers(message.headers));
    }
    return statement;
}

} // namespace

std::vector<std::string> OutboxOptions::validate() const {
    std::vector<std::string> problems;
    if (table.empty()) problems.emplace_back("table must not be empty");
    return problems;
}

std::vector<std::string> outbox_schema(const OutboxOptions& options) {
    const std::string& table = options.table;
    return {"create sequence if not exists " + table + "_position",
            "create table if not exists " + table +
                " (position bigint not null primary key default (nextval('" + table +
                "_position')), id text not null, key text not null, body text not null,"
                " headers text not null, created_at bigint not null default 0,"
                " attempts bigint not null default 0, claimed_by text, claimed_until bigint,"
                " retry_at bigint, published_at bigint, dead_at bigint, reason text)",
            "create index if not exists " + table + "_key on " + table +
                " (key, published_at, position)",
            "create index if not exists " + table + "_open on " + table +
                " (published_at, position)"};
}

Outbox::Outbox(OutboxOptions options) : options_(std::move(options)) {}

asio::awaitable<Outcome<void>> Outbox::write(Transaction& transaction,
                                             std::vector<Message> messages, WallTime now) const {
    if (messages.empty()) co_return Outcome<void>();
    for (std::size_t first = 0; first < messages.size(); first += rows_max) {
        Statement statement = insertion(options_.table, messages, first, milliseconds(now));
        const Outcome<Rows> written =
            co_await transaction.execute(std::move(statement.sql), std::move(statement.parameters));
        if (!written) co_return written.error();
    }
    if (options_.notify) {
        std::vector<Value> channel = parameters(options_.table, "");
        const Outcome<Rows> notified =
            co_await transaction.execute("select pg_notify($1, $2)", std::move(channel));
        if (!notified) co_return notified.error();
    }
    co_return Outcome<void>();
}

} // namespace crier::messaging
