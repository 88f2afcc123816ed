#include "messaging/relay/claim_relay.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace crier::messaging {

namespace {

/// Returns the claim: takes the first free rows, oldest first. The condition is repeated outside
/// the choice, because a database that lets statements overlap looks at a row again after waiting
/// for it, and then only there.
std::string claim_statement(const RelayOptions& options) {
    const std::string& table = options.outbox.table;
    return "update " + table +
           " set claimed_by = $1, claimed_until = $3 where position in (select o.position from " +
           table + " o where " +
           eligible(options, "$2", " or (e.claimed_by <> $1 and e.claimed_until > $2)") +
           " and (o.claimed_by is null or o.claimed_by = $1 or o.claimed_until <= $2)"
           " order by o.position limit $4)"
           " and published_at is null and dead_at is null"
           " and (retry_at is null or retry_at <= $2)"
           " and (claimed_by is null or claimed_by = $1 or claimed_until <= $2)"
           " returning " +
           std::string(outbox_columns);
}

/// Returns the question for claimed rows behind an open row of their key that is not ours.
std::string overtaking_statement(const RelayOptions& options) {
    const std::string& table = options.outbox.table;
    std::string open = "e.published_at is null";
    if (options.dead_key == DeadKey::goes_on) open += " and e.dead_at is null";
    if (options.outage == OutageCost::attempts) {
        open += " and e.attempts < " + std::to_string(options.attempts);
    }
    return "select o.position from " + table +
           " o where o.position between $2 and $3 and o.claimed_by = $1 and o.key <> ''"
           " and exists (select 1 from " +
           table + " e where e.key = o.key and e.position < o.position and " + open +
           " and (e.claimed_by is null or e.claimed_by <> $1))";
}

} // namespace

ClaimRelay::ClaimRelay(ProcessPorts ports, Store& store, Publisher& publisher,
                       const RelayOptions& options)
    : ports_(ports), store_(store), options_(options), waves_(ports, publisher, options),
      states_(ports, store, options), owner_(ports.ids.next()), claim_(claim_statement(options)),
      overtaking_(overtaking_statement(options)) {}

/// One batch: claim, publish, mark what is confirmed, give back what is not.
asio::awaitable<Pass> ClaimRelay::pass() {
    // What was published before must not be claimed again just because its mark failed.
    const Outcome<void> earlier = co_await states_.write();
    if (!earlier) co_return Pass::failed;

    const Instant lease_end = ports_.clock.now() + options_.lease;
    Outcome<std::vector<OutboxRow>> claimed = co_await claim();
    if (!claimed) co_return Pass::failed;
    if (claimed->empty()) co_return states_.is_pausing() ? Pass::waiting : Pass::idle;
    const bool was_full = claimed->size() == options_.batch;
    ports_.observer.reached("relay.claimed");

    const std::size_t count = claimed->size();
    if (options_.order == RelayOrder::key) {
        const Outcome<void> checked = co_await drop_overtaking(*claimed);
        if (!checked) co_return Pass::failed;
    }
    WaveOutcome published = co_await waves_.publish(std::move(*claimed), lease_end);
    const Pass result = after(published, was_full);
    const bool all_confirmed = published.confirmed.size() == count;
    const Outcome<void> written = co_await states_.write(std::move(published));
    if (!written) co_return Pass::failed;
    if (!all_confirmed) {
        const Outcome<void> released = co_await release();
        if (!released) co_return Pass::failed;
    }
    co_return result;
}

asio::awaitable<void> ClaimRelay::leave() {
    const Outcome<void> written = co_await states_.write();
    if (written) co_await release();
}

asio::awaitable<Outcome<std::vector<OutboxRow>>> ClaimRelay::claim() {
    const std::int64_t now = milliseconds(ports_.clock.wall_now());
    Statement statement;
    statement.sql = claim_;
    statement.parameters =
        parameters(owner_, now, now + milliseconds(options_.lease), options_.batch);
    Outcome<Rows> rows = co_await execute(store_, std::move(statement));
    if (!rows) co_return rows.error();
    std::vector<OutboxRow> claimed;
    claimed.reserve(rows->size());
    for (Row& row : *rows)
        claimed.push_back(read_outbox_row(row));
    // `returning` keeps no order.
    std::sort(claimed.begin(), claimed.end(),
              [](const OutboxRow& a, const OutboxRow& b) { return a.position < b.position; });
    co_return claimed;
}

/// Drops claimed rows behind a row of their key that is not ours. Where statements overlap, a claim
/// may choose rows before it waits for another relay's claim, get only the later ones, and not know
/// it. What it waited for is visible to the next statement.
asio::awaitable<Outcome<void>> ClaimRelay::drop_overtaking(std::vector<OutboxRow>& rows) {
    Statement statement;
    statement.sql = overtaking_;
    statement.parameters = parameters(owner_, rows.front().position, rows.back().position);
    const Outcome<Rows> overtaking = co_await execute(store_, std::move(statement));
    if (!overtaking) co_return overtaking.error();
    std::set<std::int64_t> positions;
    for (const Row& row : *overtaking)
        positions.insert(read_number(row[0]));
    std::erase_if(rows,
                  [&positions](const OutboxRow& row) { return positions.contains(row.position); });
    co_return Outcome<void>();
}

asio::awaitable<Outcome<void>> ClaimRelay::release() {
    Statement statement;
    statement.sql = "update " + options_.outbox.table +
                    " set claimed_by = null, claimed_until = null where claimed_by = $1";
    statement.parameters = parameters(owner_);
    const Outcome<Rows> released = co_await execute(store_, std::move(statement));
    if (!released) co_return released.error();
    co_return Outcome<void>();
}

} // namespace crier::messaging
