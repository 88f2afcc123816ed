#include "messaging/relay/row_states.hpp"

#include <utility>

namespace crier::messaging {

std::string eligible(const RelayOptions& options, const std::string& now,
                     const std::string& blocked_too) {
    std::string condition =
        "o.published_at is null and o.dead_at is null and (o.retry_at is null or o.retry_at <= " +
        now + ")";
    if (options.outage == OutageCost::attempts) {
        condition += " and o.attempts < " + std::to_string(options.attempts);
    }
    if (options.order == RelayOrder::none) return condition;
    // The blocked keys are few and found once. Asked for each row's earlier ones instead,
    // PostgreSQL took the square of the backlog, and a relay that fell behind never caught up.
    condition += " and (o.key = '' or o.key not in (select e.key from " + options.outbox.table +
                 " e where e.published_at is null and (e.retry_at > " + now;
    if (options.dead_key == DeadKey::stops) condition += " or e.dead_at is not null";
    condition += blocked_too + ")))";
    return condition;
}

RowStates::RowStates(ProcessPorts ports, Store& store, const RelayOptions& options)
    : ports_(ports), store_(store), options_(options) {}

asio::awaitable<Outcome<void>> RowStates::write(WaveOutcome outcome) {
    confirmed_.insert(confirmed_.end(), outcome.confirmed.begin(), outcome.confirmed.end());
    const Outcome<void> marked = co_await write();
    if (!marked) co_return marked;
    // Twice, since the rows' backoff begins when it is written.
    if (!outcome.failed.empty()) paused_until_ = ports_.clock.now() + 2 * options_.backoff;
    std::vector<RowFailure> passing;
    for (RowFailure& failure : outcome.failed) {
        if (!failure.refused || options_.outage == OutageCost::attempts) {
            passing.push_back(std::move(failure));
            continue;
        }
        const Outcome<void> refused = co_await refuse(std::move(failure));
        if (!refused) co_return refused;
    }
    co_return co_await pause(std::move(passing));
}

asio::awaitable<Outcome<void>> RowStates::write() {
    if (confirmed_.empty()) co_return Outcome<void>();
    ports_.observer.reached("relay.published-not-marked");
    Statement statement;
    if (options_.keep == Duration::zero()) {
        statement.sql = "delete from " + options_.outbox.table;
    } else {
        statement.sql = "update " + options_.outbox.table +
                        " set published_at = $1, claimed_by = null, claimed_until = null";
        statement.parameters.emplace_back(milliseconds(ports_.clock.wall_now()));
    }
    // Whoever has claimed them by now: they are published.
    statement.sql += " where position in (" + add_list(statement, confirmed_) + ")";
    const Outcome<Rows> marked = co_await execute(store_, std::move(statement));
    if (!marked) co_return marked.error();
    confirmed_.clear();
    ports_.observer.reached("relay.marked");
    co_return Outcome<void>();
}

std::set<std::int64_t> RowStates::take_ended() {
    return std::exchange(ended_, {});
}

/// Lets rows wait for the backoff, and their keys with them.
asio::awaitable<Outcome<void>> RowStates::pause(std::vector<RowFailure> failures) {
    if (failures.empty() || options_.after_failure == AfterFailure::goes_on) {
        co_return Outcome<void>();
    }
    std::vector<std::int64_t> positions;
    for (const RowFailure& failure : failures)
        positions.push_back(failure.position);
    Statement statement;
    statement.sql = "update " + options_.outbox.table + " set retry_at = $1";
    statement.parameters.emplace_back(milliseconds(ports_.clock.wall_now()) +
                                      milliseconds(options_.backoff));
    if (options_.outage == OutageCost::attempts) statement.sql += ", attempts = attempts + 1";
    statement.sql += " where position in (" + add_list(statement, positions) + ")";
    const Outcome<Rows> paused = co_await execute(store_, std::move(statement));
    if (!paused) co_return paused.error();
    co_return Outcome<void>();
}

/// Counts an attempt, and ends the row's life with its last one.
asio::awaitable<Outcome<void>> RowStates::refuse(RowFailure failure) {
    const std::int64_t now = milliseconds(ports_.clock.wall_now());
    Statement statement;
    statement.sql = "update " + options_.outbox.table +
                    " set attempts = attempts + 1, reason = $2, retry_at = $4, claimed_by = null,"
                    " claimed_until = null, dead_at = case when attempts + 1 >= " +
                    std::to_string(options_.attempts) +
                    " then cast($3 as bigint) end where position = $1 and published_at is null"
                    " returning dead_at";
    statement.parameters =
        parameters(failure.position, failure.reason, now, now + milliseconds(options_.backoff));
    const Outcome<Rows> refused = co_await execute(store_, std::move(statement));
    if (!refused) co_return refused.error();
    const bool is_gone = refused->empty();
    const bool is_dead =
        !is_gone && !std::holds_alternative<std::monostate>(refused->front().front());
    if (is_gone || is_dead) ended_.insert(failure.position);
    if (is_dead) ports_.observer.reached("relay.dead");
    co_return Outcome<void>();
}

} // namespace crier::messaging
