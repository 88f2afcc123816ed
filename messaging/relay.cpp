#include "messaging/relay.hpp"

#include "messaging/header_codec.hpp"
#include "messaging/ports/ensure.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace crier::messaging {

namespace {

std::int64_t milliseconds(WallTime time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::int64_t number(const Value& value) {
    const std::int64_t* const held = std::get_if<std::int64_t>(&value);
    ensure(held != nullptr, "outbox column is not a number");
    return *held;
}

std::string text(Value& value) {
    std::string* const held = std::get_if<std::string>(&value);
    ensure(held != nullptr, "outbox column is not a text");
    return std::move(*held);
}

/// Returns `claim`: takes the first free rows, oldest first. The condition is repeated outside the
/// choice, because a database that lets statements overlap looks at a row again after waiting for
/// it, and then only there.
std::string claim_statement(const std::string& table) {
    return "update " + table +
           " set claimed_by = $1, claimed_until = $3 where position in (select o.position from " +
           table +
           " o where (o.claimed_by is null or o.claimed_by = $1 or o.claimed_until <= $2)"
           " and (o.key = '' or not exists (select 1 from " +
           table +
           " e where e.key = o.key and e.position < o.position and e.claimed_by <> $1"
           " and e.claimed_until > $2)) order by o.position limit $4)"
           " and (claimed_by is null or claimed_by = $1 or claimed_until <= $2)"
           " returning position, id, key, body, headers";
}

} // namespace

std::vector<std::string> RelayOptions::validate() const {
    std::vector<std::string> problems = outbox.validate();
    if (channel.empty()) problems.emplace_back("channel must not be empty");
    if (batch == 0) problems.emplace_back("batch must be at least 1");
    if (poll_interval <= Duration::zero()) problems.emplace_back("poll-interval must be positive");
    if (lease < std::chrono::milliseconds(1)) {
        problems.emplace_back("lease must be at least 1ms");
    }
    if (backoff <= Duration::zero()) problems.emplace_back("backoff must be positive");
    return problems;
}

Relay::Relay(ProcessPorts ports, Store& store, Publisher& publisher, RelayOptions options)
    : ports_(ports), store_(store), publisher_(publisher), options_(std::move(options)),
      owner_(ports.ids.next()), claim_(claim_statement(options_.outbox.table)),
      overtaking_("select o.position from " + options_.outbox.table +
                  " o where o.position between $2 and $3 and o.claimed_by = $1 and o.key <> ''"
                  " and exists (select 1 from " +
                  options_.outbox.table +
                  " e where e.key = o.key and e.position < o.position"
                  " and (e.claimed_by is null or e.claimed_by <> $1))"),
      release_("update " + options_.outbox.table +
               " set claimed_by = null, claimed_until = null where claimed_by = $1"),
      finished_(ports.background.executor()) {
    ensure(options_.validate().empty(), "invalid relay options");
}

asio::awaitable<void> Relay::run() {
    ensure(!running_ && !finished_.is_open(), "a relay runs once");
    running_ = true;
    while (!stopping_) {
        const Pass pass_result = co_await pass();
        if (pass_result == Pass::full || stopping_) continue;
        co_await ports_.clock.sleep(pass_result == Pass::failed ? options_.backoff
                                                                : options_.poll_interval);
    }
    const Outcome<void> marked = co_await mark();
    if (marked) co_await release();
    running_ = false;
    finished_.open();
}

asio::awaitable<void> Relay::stop() {
    stopping_ = true;
    if (running_) co_await finished_.wait();
}

/// One batch: claim, publish, delete what is confirmed, give back what is not.
asio::awaitable<Relay::Pass> Relay::pass() {
    // What was published before must not be claimed again just because its deletion failed.
    const Outcome<void> earlier = co_await mark();
    if (!earlier) co_return Pass::failed;

    const Instant lease_end = ports_.clock.now() + options_.lease;
    Outcome<std::vector<Claimed>> claimed = co_await claim();
    if (!claimed) co_return Pass::failed;
    if (claimed->empty()) co_return Pass::idle;
    const Pass pass_result = claimed->size() == options_.batch ? Pass::full : Pass::idle;
    ports_.observer.reached("relay.claimed");

    const std::size_t count = claimed->size();
    const Outcome<void> checked = co_await drop_overtaking(*claimed);
    if (!checked) co_return Pass::failed;
    const bool overtook = claimed->size() < count;
    const Pass published = co_await publish(std::move(*claimed), lease_end);
    const Outcome<void> marked = co_await mark();
    if (!marked) co_return Pass::failed;
    if (overtook || published != Pass::idle) {
        const Outcome<void> released = co_await release();
        if (!released) co_return Pass::failed;
    }
    co_return published == Pass::idle ? pass_result : published;
}

asio::awaitable<Outcome<std::vector<Relay::Claimed>>> Relay::claim() {
    const std::int64_t now = milliseconds(ports_.clock.wall_now());
    const std::int64_t lease =
        std::chrono::duration_cast<std::chrono::milliseconds>(options_.lease).count();
    std::string sql = claim_;
    std::vector<Value> values = parameters(owner_, now, now + lease, options_.batch);
    Outcome<Rows> rows = co_await store_.execute(std::move(sql), std::move(values));
    if (!rows) co_return rows.error();

    std::vector<Claimed> claimed;
    claimed.reserve(rows->size());
    for (Row& row : *rows) {
        Claimed& next = claimed.emplace_back();
        next.position = number(row[0]);
        next.message.id = text(row[1]);
        next.key = text(row[2]);
        next.message.body = text(row[3]);
        std::optional<std::vector<Header>> headers = decode_headers(text(row[4]));
        next.readable = headers.has_value();
        if (headers) next.message.headers = std::move(*headers);
    }
    // `returning` keeps no order.
    std::sort(claimed.begin(), claimed.end(),
              [](const Claimed& a, const Claimed& b) { return a.position < b.position; });
    co_return claimed;
}

/// Drops claimed rows behind a row of their key that is not ours. Where statements overlap, a claim
/// may choose rows before it waits for another relay's claim, get only the later ones, and not know
/// it. What it waited for is visible to the next statement.
asio::awaitable<Outcome<void>> Relay::drop_overtaking(std::vector<Claimed>& rows) {
    std::string sql = overtaking_;
    std::vector<Value> values = parameters(owner_, rows.front().position, rows.back().position);
    const Outcome<Rows> overtaking = co_await store_.execute(std::move(sql), std::move(values));
    if (!overtaking) co_return overtaking.error();
    std::set<std::int64_t> positions;
    for (const Row& row : *overtaking)
        positions.insert(number(row[0]));
    std::erase_if(rows,
                  [&positions](const Claimed& row) { return positions.contains(row.position); });
    co_return Outcome<void>();
}

/// Publishes in waves: in each at most one row of a key, the next one only after its confirmation.
/// **Returns** idle when every row was confirmed, full when the lease ended first.
asio::awaitable<Relay::Pass> Relay::publish(std::vector<Claimed> rows, Instant lease_end) {
    std::vector<std::vector<Claimed*>> waves;
    std::map<std::string_view, std::size_t> wave_of;
    for (Claimed& row : rows) {
        const std::size_t wave = row.key.empty() ? 0 : wave_of[row.key]++;
        if (wave == waves.size()) waves.emplace_back();
        waves[wave].push_back(&row);
    }
    Pass result = Pass::idle;
    std::set<std::string_view> stopped;
    const auto stop = [&result, &stopped](const Claimed& row) {
        result = Pass::failed;
        if (!row.key.empty()) stopped.insert(row.key);
    };
    for (const std::vector<Claimed*>& wave : waves) {
        if (ports_.clock.now() >= lease_end) co_return Pass::full;
        std::vector<const Claimed*> sent;
        std::vector<Message> messages;
        for (Claimed* row : wave) {
            if (!row->readable || stopped.contains(row->key)) {
                stop(*row);
                continue;
            }
            sent.push_back(row);
            messages.push_back(std::move(row->message));
            messages.back().key = row->key;
        }
        if (sent.empty()) continue;
        std::string channel = options_.channel;
        const std::vector<Outcome<void>> outcomes =
            co_await publisher_.publish(std::move(channel), std::move(messages));
        ensure(outcomes.size() == sent.size(), "a publisher gives one outcome per message");
        for (std::size_t index = 0; index < sent.size(); ++index) {
            if (outcomes[index]) {
                confirmed_.push_back(sent[index]->position);
            } else {
                stop(*sent[index]);
            }
        }
    }
    co_return result;
}

/// Deletes the confirmed rows, whoever has claimed them by now: they are published.
asio::awaitable<Outcome<void>> Relay::mark() {
    if (confirmed_.empty()) co_return Outcome<void>();
    ports_.observer.reached("relay.published-not-marked");
    std::string sql = "delete from " + options_.outbox.table + " where position in (";
    std::vector<Value> values;
    // Filled up to a power of two with the last one, so that few statements have to be prepared.
    std::size_t places = 1;
    while (places < confirmed_.size())
        places *= 2;
    for (std::size_t place = 0; place < places; ++place) {
        if (place > 0) sql += ", ";
        sql += '$';
        sql += std::to_string(std::min(place, confirmed_.size() - 1) + 1);
    }
    sql += ')';
    values.reserve(places);
    for (const std::int64_t position : confirmed_)
        values.emplace_back(position);
    const Outcome<Rows> deleted = co_await store_.execute(std::move(sql), std::move(values));
    if (!deleted) co_return deleted.error();
    confirmed_.clear();
    ports_.observer.reached("relay.marked");
    co_return Outcome<void>();
}

asio::awaitable<Outcome<void>> Relay::release() {
    std::string sql = release_;
    std::vector<Value> values = parameters(owner_);
    const Outcome<Rows> released = co_await store_.execute(std::move(sql), std::move(values));
    if (!released) co_return released.error();
    co_return Outcome<void>();
}

} // namespace crier::messaging
