#include "messaging/outbox_care.hpp"

#include "messaging/relay/outbox_rows.hpp"
#include "messaging/statement.hpp"

#include <memory>
#include <utility>

namespace crier::messaging {

namespace {

std::string text_of(const Value& value) {
    const std::string* const held = std::get_if<std::string>(&value);
    return held == nullptr ? std::string() : *held;
}

} // namespace

OutboxCare::OutboxCare(Store& store, const RelayOptions& options)
    : store_(store), options_(options) {}

asio::awaitable<Outcome<void>> OutboxCare::purge(WallTime now) const {
    Statement statement;
    statement.sql = "delete from " + options_.outbox.table +
                    (options_.purge == PurgeRows::delivered ? " where published_at < $1"
                                                            : " where created_at < $1");
    statement.parameters = parameters(milliseconds(now - options_.keep));
    const Outcome<Rows> purged = co_await execute(store_, std::move(statement));
    if (!purged) co_return purged.error();
    co_return Outcome<void>();
}

asio::awaitable<Outcome<std::vector<DeadRow>>> OutboxCare::dead() const {
    Statement statement;
    statement.sql = "select position, id, key, attempts, reason from " + options_.outbox.table +
                    " where published_at is null and dead_at is not null order by position";
    const Outcome<Rows> rows = co_await execute(store_, std::move(statement));
    if (!rows) co_return rows.error();
    std::vector<DeadRow> dead;
    for (const Row& row : *rows) {
        DeadRow next;
        next.position = read_number(row[0]);
        next.id = text_of(row[1]);
        next.key = text_of(row[2]);
        next.attempts = read_number(row[3]);
        next.reason = text_of(row[4]);
        dead.push_back(std::move(next));
    }
    co_return dead;
}

asio::awaitable<Outcome<void>> OutboxCare::redrive() const {
    if (options_.by == RelayBy::change_stream) co_return co_await write_again();
    Statement statement;
    statement.sql = "update " + options_.outbox.table +
                    " set dead_at = null, attempts = 0, reason = null, retry_at = null"
                    " where published_at is null and dead_at is not null";
    const Outcome<Rows> redriven = co_await execute(store_, std::move(statement));
    if (!redriven) co_return redriven.error();
    co_return Outcome<void>();
}

asio::awaitable<Outcome<void>> OutboxCare::write_again() const {
    const Outcome<std::vector<DeadRow>> rows = co_await dead();
    if (!rows) co_return rows.error();
    if (rows->empty()) co_return Outcome<void>();
    // Named one by one: what dies meanwhile is not among them.
    std::vector<std::int64_t> positions;
    for (const DeadRow& row : *rows)
        positions.push_back(row.position);
    const std::string& table = options_.outbox.table;
    Statement copy;
    const std::string named = " where position in (" + add_list(copy, positions) + ")";
    Statement removal;
    removal.parameters = copy.parameters;
    copy.sql = "insert into " + table +
               " (id, key, body, headers, created_at) select id, key, body, headers, created_at"
               " from " +
               table + named + " order by position";
    removal.sql = "delete from " + table + named;
    Outcome<std::unique_ptr<Transaction>> begun = co_await store_.begin();
    if (!begun) co_return begun.error();
    const std::unique_ptr<Transaction> transaction = std::move(*begun);
    const Outcome<Rows> copied =
        co_await transaction->execute(std::move(copy.sql), std::move(copy.parameters));
    if (!copied) co_return copied.error();
    const Outcome<Rows> removed =
        co_await transaction->execute(std::move(removal.sql), std::move(removal.parameters));
    if (!removed) co_return removed.error();
    co_return co_await transaction->commit();
}

} // namespace crier::messaging
