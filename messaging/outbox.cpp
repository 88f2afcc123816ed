#include "messaging/outbox.hpp"

#include "messaging/header_codec.hpp"

#include <algorithm>
#include <utility>

namespace crier::messaging {

namespace {

// SQLite allows 32,766 parameters in a statement, PostgreSQL twice as many.
constexpr std::size_t rows_max = 1000;
constexpr std::size_t columns = 4;

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
                " headers text not null, claimed_by text, claimed_until bigint)",
            "create index if not exists " + table + "_key on " + table + " (key, position)"};
}

Outbox::Outbox(OutboxOptions options)
    : insert_("insert into " + options.table + " (id, key, body, headers) values ") {}

asio::awaitable<Outcome<void>> Outbox::write(Transaction& transaction,
                                             std::vector<Message> messages) const {
    for (std::size_t first = 0; first < messages.size(); first += rows_max) {
        const std::size_t count = std::min(rows_max, messages.size() - first);
        std::string sql = insert_;
        std::vector<Value> values;
        values.reserve(columns * count);
        for (std::size_t row = 0; row < count; ++row) {
            Message& message = messages[first + row];
            sql += row == 0 ? "(" : ", (";
            for (std::size_t column = 1; column <= columns; ++column) {
                if (column > 1) sql += ", ";
                sql += '$';
                sql += std::to_string(columns * row + column);
            }
            sql += ')';
            values.emplace_back(std::move(message.id));
            values.emplace_back(std::move(message.key));
            values.emplace_back(std::move(message.body));
            values.emplace_back(encode_headers(message.headers));
        }
        const Outcome<Rows> written =
            co_await transaction.execute(std::move(sql), std::move(values));
        if (!written) co_return written.error();
    }
    co_return Outcome<void>();
}

} // namespace crier::messaging
