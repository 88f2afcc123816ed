#include "messaging/relay/cursor_relay.hpp"

#include <utility>

namespace crier::messaging {

namespace {

/// A number of the database's transactions, as both dialects take it.
std::string number_of(const RelayOptions& options, const std::string& function) {
    return options.gaps == CursorGaps::transactions
               ? "cast(cast(" + function + " as text) as bigint)"
               : "0";
}

std::string lead_statement(const RelayOptions& options) {
    return "update " + options.outbox.table +
           "_cursor set epoch = epoch + case when owner = $1 then 0 else 1 end, owner = $1,"
           " leased_until = $3 where name = 'relay' and"
           " (owner is null or owner = $1 or leased_until <= $2) returning epoch, position, " +
           number_of(options, "pg_current_xact_id()");
}

std::string read_statement(const RelayOptions& options) {
    return "select " + std::string(outbox_columns) + ", " +
           number_of(options, "pg_snapshot_xmin(pg_current_snapshot())") + " from " +
           options.outbox.table + " o where o.position > $1 and " + eligible(options, "$2") +
           " order by o.position limit $3";
}

/// Returns the move to before the first row that is not published, at most to what is decided.
std::string advance_statement(const RelayOptions& options) {
    const std::string cursor = options.outbox.table + "_cursor";
    return "update " + cursor + " set position = coalesce((select min(o.position) - 1 from " +
           options.outbox.table + " o where o.published_at is null and o.position > " + cursor +
           ".position and o.position <= $2), cast($2 as bigint))"
           " where name = 'relay' and epoch = $1 and position < $2 returning position";
}

} // namespace

std::vector<std::string> cursor_schema(const OutboxOptions& options) {
    const std::string cursor = options.table + "_cursor";
    return {"create table if not exists " + cursor +
                " (name text primary key, position bigint not null, epoch bigint not null,"
                " owner text, leased_until bigint)",
            "insert into " + cursor +
                " (name, position, epoch) values ('relay', 0, 0) on conflict do nothing"};
}

CursorRelay::CursorRelay(ProcessPorts ports, Store& store, Publisher& publisher,
                         const RelayOptions& options)
    : ports_(ports), store_(store), options_(options), waves_(ports, publisher, options),
      states_(ports, store, options), owner_(ports.ids.next()), lead_(lead_statement(options)),
      read_(read_statement(options)), advance_(advance_statement(options)) {}

asio::awaitable<Pass> CursorRelay::pass() {
    const Outcome<void> earlier = co_await states_.write();
    if (!earlier) co_return Pass::failed;
    const Outcome<void> led = co_await lead();
    if (!led) co_return Pass::failed;
    if (!leading_) co_return Pass::waiting;

    Outcome<std::vector<OutboxRow>> rows = co_await read();
    if (!rows) co_return Pass::failed;
    const bool was_full = rows->size() == options_.batch;
    WaveOutcome published;
    if (!rows->empty()) {
        ports_.observer.reached("relay.claimed");
        published = co_await waves_.publish(std::move(*rows), leading_->lease_end);
    }
    const Pass result = after(published, was_full);
    const bool moves = !published.confirmed.empty();
    const Outcome<void> written = co_await states_.write(std::move(published));
    if (!written) co_return Pass::failed;
    if (moves || leading_->frontier.decided() > leading_->advanced_to) {
        const Outcome<void> advanced = co_await advance();
        if (!advanced) co_return Pass::failed;
    }
    const bool waits = states_.is_pausing() || (leading_ && leading_->frontier.is_waiting());
    co_return result == Pass::idle&& waits ? Pass::waiting : result;
}

asio::awaitable<void> CursorRelay::leave() {
    const Outcome<void> written = co_await states_.write();
    if (!written) co_return;
    Statement statement;
    statement.sql = "update " + options_.outbox.table +
                    "_cursor set owner = null where name = 'relay' and owner = $1";
    statement.parameters = parameters(owner_);
    co_await execute(store_, std::move(statement));
}

/// Takes or renews the lead. While a gap is waited for, this also brings a new number.
asio::awaitable<Outcome<void>> CursorRelay::lead() {
    const Instant begun = ports_.clock.now();
    if (leading_ && !leading_->frontier.is_waiting() &&
        begun + options_.lease / 2 < leading_->lease_end) {
        co_return Outcome<void>();
    }
    const std::int64_t now = milliseconds(ports_.clock.wall_now());
    Statement statement;
    statement.sql = lead_;
    statement.parameters = parameters(owner_, now, now + milliseconds(options_.lease));
    const Outcome<Rows> led = co_await execute(store_, std::move(statement));
    if (!led) co_return led.error();
    if (led->empty()) {
        leading_.reset();
        co_return Outcome<void>();
    }
    const std::int64_t epoch = read_number(led->front()[0]);
    if (!leading_ || leading_->epoch != epoch) {
        const std::int64_t cursor = read_number(led->front()[1]);
        GapFrontier frontier(options_.gaps, options_.gap_wait, cursor);
        leading_ = Lead{epoch, cursor, begun, std::move(frontier), cursor};
    }
    leading_->lease_end = begun + options_.lease;
    leading_->frontier.numbered(read_number(led->front()[2]));
    co_return Outcome<void>();
}

/// Returns the next rows, up to the first position that is not decided.
asio::awaitable<Outcome<std::vector<OutboxRow>>> CursorRelay::read() {
    Statement statement;
    statement.sql = read_;
    statement.parameters =
        parameters(leading_->cursor, milliseconds(ports_.clock.wall_now()), options_.batch);
    Outcome<Rows> rows = co_await execute(store_, std::move(statement));
    if (!rows) co_return rows.error();
    std::vector<OutboxRow> read;
    GapFrontier& frontier = leading_->frontier;
    if (rows->empty()) {
        frontier.saw_nothing();
        co_return read;
    }
    frontier.snapshot(read_number(rows->front()[5]), ports_.clock.now());
    const std::int64_t highest = read_number(rows->back()[0]);
    for (Row& row : *rows) {
        OutboxRow next = read_outbox_row(row);
        if (!frontier.reaches(next.position)) {
            frontier.saw(highest, ports_.clock.now());
            break;
        }
        read.push_back(std::move(next));
    }
    co_return read;
}

asio::awaitable<Outcome<void>> CursorRelay::advance() {
    const std::int64_t decided = leading_->frontier.decided();
    Statement statement;
    statement.sql = advance_;
    statement.parameters = parameters(leading_->epoch, decided);
    const Outcome<Rows> advanced = co_await execute(store_, std::move(statement));
    if (!advanced) co_return advanced.error();
    if (advanced->empty()) {
        // Another leads, or the cursor is there already, which the next lease will tell.
        if (leading_->cursor < decided) leading_.reset();
        co_return Outcome<void>();
    }
    leading_->cursor = read_number(advanced->front()[0]);
    leading_->advanced_to = decided;
    ports_.observer.reached("relay.cursor-advanced");
    co_return Outcome<void>();
}

} // namespace crier::messaging
