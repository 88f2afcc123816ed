#include "messaging/inbox.hpp"

#include "messaging/ports/ensure.hpp"

#include <utility>

namespace crier::messaging {

namespace {

std::string text(const Value& value) {
    const std::string* const held = std::get_if<std::string>(&value);
    return held == nullptr ? std::string() : *held;
}

int number(const Value& value) {
    const std::int64_t* const held = std::get_if<std::int64_t>(&value);
    return held == nullptr ? 0 : static_cast<int>(*held);
}

InboxStatus status(const std::string& name) {
    if (name == "working") return InboxStatus::working;
    if (name == "parking") return InboxStatus::parking;
    if (name == "parked") return InboxStatus::parked;
    if (name == "discarded") return InboxStatus::discarded;
    ensure(name == "done", "unknown status in the inbox");
    return InboxStatus::done;
}

} // namespace

std::vector<std::string> inbox_schema(const std::string& table) {
    return {"create table if not exists " + table +
                " (consumer text not null, id text not null, status text not null,"
                " attempts bigint not null, dead_letter_id text, reason text,"
                " recorded_at bigint not null, expires_at bigint, primary key (consumer, id))",
            "create table if not exists " + table +
                "_attempts (consumer text not null, id text not null, attempts bigint not null,"
                " recorded_at bigint not null, primary key (consumer, id))"};
}

Inbox::Inbox(const std::string& table, std::string consumer) : consumer_(std::move(consumer)) {
    const std::string insert = "insert into " + table +
                               " (consumer, id, recorded_at, status, attempts, dead_letter_id, "
                               "reason) values ($1, $2, $3, ";
    const std::string once = " on conflict (consumer, id) do nothing returning ";
    const std::string one = " where consumer = $1 and id = $2";
    enter_ = insert + "'done', 0, null, null)" + once + "(select a.attempts from " + table +
             "_attempts a where a.consumer = $1 and a.id = $2)";
    mark_ = "insert into " + table +
            " as known (consumer, id, recorded_at, status, attempts, expires_at)"
            " values ($1, $2, $3, 'working', 0, $4) on conflict (consumer, id) do update"
            " set recorded_at = excluded.recorded_at, expires_at = excluded.expires_at"
            " where known.status = 'working' and (known.expires_at <= $3 or known.expires_at = $5)"
            " returning (select a.attempts from " +
            table + "_attempts a where a.consumer = $1 and a.id = $2)";
    complete_ = "insert into " + table +
                " as known (consumer, id, recorded_at, status, attempts) values ($1, $2, $3,"
                " 'done', 0) on conflict (consumer, id) do update set status = 'done',"
                " recorded_at = excluded.recorded_at, expires_at = null"
                " where known.status = 'working'";
    unmark_ = "delete from " + table + one + " and status = 'working' and expires_at = $3";
    find_ = "select status, attempts, dead_letter_id, reason, expires_at from " + table + one;
    record_ = "insert into " + table +
              "_attempts as known (consumer, id, attempts, recorded_at) values ($1, $2, $3, $4)"
              " on conflict (consumer, id) do update set attempts = excluded.attempts,"
              " recorded_at = excluded.recorded_at where excluded.attempts > known.attempts";
    park_ = insert + "'parking', $4, $5, $6)" + once + "id";
    parked_ = "update " + table + " set status = 'parked', recorded_at = $3" + one +
              " and status = 'parking'";
    discard_ = insert + "'discarded', 0, null, $4)" + once + "id";
    prune_ = "delete from " + table +
             " where consumer = $1 and recorded_at < $2 and status <> 'parking'";
    prune_attempts_ =
        "delete from " + table +
        "_attempts where consumer = $1 and recorded_at < $2 and exists (select 1 from " + table +
        " i where i.consumer = " + table + "_attempts.consumer and i.id = " + table +
        "_attempts.id and i.status <> 'parking')";
}

Statement Inbox::enter(std::string_view id, WallTime now) const {
    return {enter_, parameters(consumer_, id, milliseconds(now))};
}

int Inbox::attempts_of(const Row& row) {
    return row.empty() ? 0 : number(row.front());
}

Statement Inbox::mark(std::string_view id, WallTime now, std::optional<std::int64_t> expires_at,
                      std::int64_t mine) const {
    Statement statement{mark_, parameters(consumer_, id, milliseconds(now))};
    statement.parameters.push_back(expires_at ? Value(*expires_at) : Value());
    statement.parameters.emplace_back(mine);
    return statement;
}

Statement Inbox::complete(std::string_view id, WallTime now) const {
    return {complete_, parameters(consumer_, id, milliseconds(now))};
}

Statement Inbox::unmark(std::string_view id, std::int64_t mine) const {
    return {unmark_, parameters(consumer_, id, mine)};
}

Statement Inbox::find(std::string_view id) const {
    return {find_, parameters(consumer_, id)};
}

InboxRow Inbox::parse(const Row& row) {
    ensure(row.size() == 5, "not a row of the inbox");
    InboxRow parsed;
    parsed.status = status(text(row[0]));
    parsed.parking.attempts = number(row[1]);
    parsed.parking.dead_letter_id = text(row[2]);
    parsed.parking.reason = text(row[3]);
    if (const auto* const expires = std::get_if<std::int64_t>(&row[4])) {
        parsed.expires_at = *expires;
    }
    return parsed;
}

Statement Inbox::record(std::string_view id, int attempts, WallTime now) const {
    return {record_, parameters(consumer_, id, attempts, milliseconds(now))};
}

Statement Inbox::park(std::string_view id, const Parking& parking, WallTime now) const {
    return {park_, parameters(consumer_, id, milliseconds(now), parking.attempts,
                              parking.dead_letter_id, parking.reason)};
}

Statement Inbox::parked(std::string_view id, WallTime now) const {
    return {parked_, parameters(consumer_, id, milliseconds(now))};
}

Statement Inbox::discard(std::string_view id, std::string_view reason, WallTime now) const {
    return {discard_, parameters(consumer_, id, milliseconds(now), reason)};
}

std::vector<Statement> Inbox::prune(WallTime limit) const {
    // Attempts first: which of them are finished business is read from the inbox rows.
    std::vector<Statement> statements;
    statements.push_back({prune_attempts_, parameters(consumer_, milliseconds(limit))});
    statements.push_back({prune_, parameters(consumer_, milliseconds(limit))});
    return statements;
}

} // namespace crier::messaging
