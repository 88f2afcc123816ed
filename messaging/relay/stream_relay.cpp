#include "messaging/relay/stream_relay.hpp"

#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace crier::messaging {

namespace {

/// Returns the values of `outbox_columns`, by the names that the change has.
Row columns_of(Change& change) {
    constexpr std::array<std::string_view, 5> names{"position", "id", "key", "body", "headers"};
    ensure(change.columns.size() == change.row.size(), "a change names its columns");
    Row row;
    for (const std::string_view name : names) {
        const auto found = std::find(change.columns.begin(), change.columns.end(), name);
        ensure(found != change.columns.end(), "a change of the outbox has its columns");
        row.push_back(
            std::move(change.row[static_cast<std::size_t>(found - change.columns.begin())]));
    }
    return row;
}

} // namespace

StreamRelay::StreamRelay(ProcessPorts ports, Store& store, ChangeStreams& streams,
                         Publisher& publisher, const RelayOptions& options)
    : ports_(ports), store_(store), streams_(streams), options_(options),
      waves_(ports, publisher, options), states_(ports, store, options) {}

asio::awaitable<Pass> StreamRelay::pass() {
    // These marks are for the purge only: what is finished is known by what is confirmed.
    co_await states_.write();
    if (!stream_) {
        Outcome<std::unique_ptr<ChangeStream>> opened = co_await streams_.open(options_.slot);
        if (!opened) co_return Pass::failed;
        stream_ = std::move(*opened);
        catching_up_ = options_.catch_up;
    }
    const bool takes = open_.size() < options_.open_max;
    if (takes) {
        const Outcome<void> taken = co_await take_in();
        if (!taken) {
            close();
            co_return Pass::failed;
        }
    }
    std::vector<OutboxRow> rows = ready();
    if (!rows.empty()) {
        ports_.observer.reached("relay.claimed");
        const WaveOutcome published = co_await waves_.publish(std::move(rows), Instant::max());
        WaveOutcome copy = published;
        const Outcome<void> written = co_await states_.write(std::move(copy));
        finish(published);
        if (!written) co_return Pass::failed;
    }
    const Outcome<void> confirmed = co_await confirm();
    if (!confirmed) {
        close();
        co_return Pass::failed;
    }
    // Reading has waited already.
    co_return takes ? Pass::full : Pass::waiting;
}

asio::awaitable<void> StreamRelay::leave() {
    co_await states_.write();
    close();
}

asio::awaitable<Outcome<void>> StreamRelay::take_in() {
    return catching_up_ ? read_outbox() : read_stream();
}

/// Reads the next rows that the outbox has, in the order of their positions, which within a key is
/// that of their commits.
asio::awaitable<Outcome<void>> StreamRelay::read_outbox() {
    Statement statement;
    statement.sql = "select " + std::string(outbox_columns) + " from " + options_.outbox.table +
                    " where position > $1 and published_at is null and dead_at is null"
                    " order by position limit $2";
    statement.parameters = parameters(looked_through_to_, options_.batch);
    Outcome<Rows> rows = co_await execute(store_, std::move(statement));
    if (!rows) co_return rows.error();
    for (Row& row : *rows) {
        Open& next = open_.emplace_back();
        next.row = read_outbox_row(row);
        looked_through_to_ = next.row.position;
        from_outbox_.insert(next.row.position);
    }
    catching_up_ = rows->size() == options_.batch;
    co_return Outcome<void>();
}

/// Reads the next changes; waits for them only when nothing in hand is ready.
asio::awaitable<Outcome<void>> StreamRelay::read_stream() {
    const Duration wait = ready().empty() ? options_.poll_interval : Duration::zero();
    Outcome<std::vector<Change>> changes = co_await stream_->next(options_.batch, wait);
    if (!changes) co_return changes.error();
    for (Change& change : *changes) {
        Open& next = open_.emplace_back();
        next.change = change.position;
        next.finished = change.table != options_.outbox.table;
        if (next.finished) continue;
        Row row = columns_of(change);
        next.row = read_outbox_row(row);
        next.finished = from_outbox_.erase(next.row.position) > 0;
    }
    co_return Outcome<void>();
}

/// Returns what can be published now, at most a batch: no row behind one of its key that waits.
std::vector<OutboxRow> StreamRelay::ready() const {
    const Instant now = ports_.clock.now();
    std::vector<OutboxRow> rows;
    std::set<std::string_view> waiting;
    for (const Open& open : open_) {
        if (rows.size() == options_.batch) break;
        if (open.finished || waiting.contains(open.row.key)) continue;
        if (open.not_before <= now) {
            rows.push_back(open.row);
        } else if (!open.row.key.empty() && options_.after_failure == AfterFailure::key_waits) {
            waiting.insert(open.row.key);
        }
    }
    return rows;
}

void StreamRelay::finish(const WaveOutcome& outcome) {
    std::set<std::int64_t> finished = states_.take_ended();
    finished.insert(outcome.confirmed.begin(), outcome.confirmed.end());
    std::set<std::int64_t> failed;
    for (const RowFailure& failure : outcome.failed)
        failed.insert(failure.position);
    for (Open& open : open_) {
        if (finished.contains(open.row.position)) {
            open.finished = true;
            if (options_.confirm == StreamConfirm::each) confirmed_ = open.change;
        } else if (failed.contains(open.row.position)) {
            open.not_before = ports_.clock.now() + options_.backoff;
        }
    }
}

/// Lets the database forget what is finished up to the first change that is not.
asio::awaitable<Outcome<void>> StreamRelay::confirm() {
    std::uint64_t position = confirmed_;
    while (!open_.empty() && open_.front().finished) {
        position = std::max(position, open_.front().change);
        open_.pop_front();
    }
    if (position == 0) co_return Outcome<void>();
    confirmed_ = 0;
    const Outcome<void> confirmed = co_await stream_->confirm(position);
    if (confirmed) ports_.observer.reached("relay.confirmed");
    co_return confirmed;
}

/// What is in hand comes again when the slot is opened again.
void StreamRelay::close() {
    stream_.reset();
    open_.clear();
    confirmed_ = 0;
    looked_through_to_ = 0;
    from_outbox_.clear();
}

} // namespace crier::messaging
