#include "messaging/postgres/postgres_change_streams.hpp"

#include "messaging/ports/ensure.hpp"
#include "messaging/postgres/connector.hpp"
#include "messaging/postgres/test_decoding.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>

namespace crier::messaging::postgres {

namespace {

/// A place in the server's log, `16/B374D848` in its texts.
using LogPlace = std::uint64_t;

constexpr int index_bits = 18;

/// Returns the position of the row `index` of the commit that ends at `end`. Records of the log
/// begin at multiples of 8, so 15 bits are the price of 2^18 rows: a log may grow to 512 TiB.
std::uint64_t position_of(LogPlace end, std::size_t index) {
    return end / 8 << index_bits | std::min<std::size_t>(index, (1U << index_bits) - 1);
}

std::optional<std::uint64_t> read_hex(std::string_view digits) {
    std::uint64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, number, 16);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return number;
}

std::optional<LogPlace> read_place(const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return std::nullopt;
    const std::size_t slash = text->find('/');
    if (slash == std::string::npos) return std::nullopt;
    const auto high = read_hex(std::string_view(*text).substr(0, slash));
    const auto low = read_hex(std::string_view(*text).substr(slash + 1));
    if (!high || !low) return std::nullopt;
    return *high << 32 | *low;
}

std::string to_text(LogPlace place) {
    std::array<char, 40> text{};
    char* at = text.data();
    char* const end = text.data() + text.size();
    at = std::to_chars(at, end, place >> 32, 16).ptr;
    *at++ = '/';
    at = std::to_chars(at, end, place & 0xffffffffU, 16).ptr;
    return {text.data(), at};
}

Command command(std::string sql, std::vector<Value> values) {
    Command made;
    made.step = Step::alone;
    made.sql = std::move(sql);
    made.values = std::move(values);
    return made;
}

/// What was read of one transaction.
struct Commit {
    LogPlace end = 0;
    std::size_t steps = 0;      ///< Rows that the server gave for it.
    std::uint64_t position = 0; ///< Of its last row, or of what came before when it has none.
};

class PostgresChangeStream final : public ChangeStream {
public:
    PostgresChangeStream(ConnectionPtr connection, std::string slot, Duration poll_interval)
        : connection_(std::move(connection)), slot_(std::move(slot)),
          poll_interval_(poll_interval) {}
    ~PostgresChangeStream() override { connection_->close(); }
    PostgresChangeStream(const PostgresChangeStream&) = delete;
    PostgresChangeStream& operator=(const PostgresChangeStream&) = delete;

    asio::awaitable<Outcome<void>> take();
    asio::awaitable<Outcome<std::vector<Change>>> next(std::size_t max, Duration limit) override;
    asio::awaitable<Outcome<void>> confirm(std::uint64_t position) override;

private:
    asio::awaitable<Outcome<std::vector<Change>>> peek(std::size_t max);
    asio::awaitable<Outcome<void>> advance();
    bool read(const Rows& steps, std::vector<Change>& changes);
    void committed(LogPlace end, std::size_t steps, std::vector<Change>& changes,
                   std::vector<Change>& rows);

    ConnectionPtr connection_;
    std::string slot_;
    Duration poll_interval_;
    std::string schema_;          ///< Whose tables come by their bare names.
    std::deque<Commit> read_;     ///< Told and not confirmed, in order.
    LogPlace told_ = 0;           ///< End of the last commit that was told.
    std::uint64_t last_ = 0;      ///< The last position given.
    std::uint64_t confirmed_ = 0; ///< The last position confirmed.
};

/// Makes the slot ours, and makes it at all if it is not there.
asio::awaitable<Outcome<void>> PostgresChangeStream::take() {
    // The server would let readers take turns between calls; the lock goes with the connection.
    Command lock = command("select pg_try_advisory_lock(hashtext('crier'), hashtext($1)),"
                           " coalesce(current_schema(), 'public')",
                           parameters(slot_));
    const Outcome<Rows> locked = co_await connection_->run(std::move(lock));
    if (!locked) co_return locked.error();
    if (locked->at(0).at(0) != Value(std::int64_t{1}))
        co_return Failure{StoreError::unavailable, Certainty::failed};
    schema_ = std::get<std::string>(locked->at(0).at(1));
    Command find = command("select slot_type, plugin, database = current_database()"
                           " from pg_replication_slots where slot_name = cast($1 as name)",
                           parameters(slot_));
    const Outcome<Rows> found = co_await connection_->run(std::move(find));
    if (!found) co_return found.error();
    if (!found->empty()) {
        const Row ours{std::string("logical"), std::string("test_decoding"), std::int64_t{1}};
        if (found->front() == ours) co_return Outcome<void>();
        co_return Failure{StoreError::statement_error, Certainty::failed};
    }
    Command make =
        command("select pg_create_logical_replication_slot(cast($1 as name), 'test_decoding')",
                parameters(slot_));
    const Outcome<Rows> made = co_await connection_->run(std::move(make));
    if (!made) co_return made.error();
    co_return Outcome<void>();
}

asio::awaitable<Outcome<std::vector<Change>>> PostgresChangeStream::next(std::size_t max,
                                                                         Duration limit) {
    const auto give_up = std::chrono::steady_clock::now() + limit;
    for (;;) {
        Outcome<std::vector<Change>> changes = co_await peek(max);
        if (!changes || !changes->empty()) co_return changes;
        const auto left = give_up - std::chrono::steady_clock::now();
        if (left <= Duration::zero()) co_return changes;
        asio::steady_timer timer(connection_->home(), std::min<Duration>(left, poll_interval_));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<Outcome<std::vector<Change>>> PostgresChangeStream::peek(std::size_t max) {
    // The server begins with what is not confirmed, and counts the begin and end of each.
    std::size_t steps = max;
    for (const Commit& commit : read_)
        steps += commit.steps;
    Command look =
        command("select lsn, data from pg_logical_slot_peek_changes(cast($1 as name), null,"
                " cast($2 as integer), 'skip-empty-xacts', '1')",
                parameters(slot_, std::min<std::size_t>(steps, 1'000'000'000)));
    const Outcome<Rows> seen = co_await connection_->run(std::move(look));
    if (!seen) co_return Failure{seen.error().code, Certainty::failed};
    std::vector<Change> changes;
    if (!read(*seen, changes)) co_return Failure{StoreError::statement_error, Certainty::failed};
    const Outcome<void> advanced = co_await advance();
    if (!advanced) co_return advanced.error();
    co_return changes;
}

/// Reads whole transactions, those that were told before included. **Returns** whether everything
/// was understood.
bool PostgresChangeStream::read(const Rows& steps, std::vector<Change>& changes) {
    std::vector<Change> rows; // of the transaction
    std::size_t count = 0;
    for (const Row& step : steps) {
        const auto* text = std::get_if<std::string>(&step.at(1));
        std::optional<Decoded> decoded;
        if (text != nullptr) decoded = read_decoded(*text);
        if (!decoded) return false;
        ++count;
        if (auto* insert = std::get_if<DecodedInsert>(&*decoded)) {
            if (insert->schema != schema_)
                insert->change.table = insert->schema + "." + insert->change.table;
            rows.push_back(std::move(insert->change));
        } else if (std::holds_alternative<DecodedBegin>(*decoded)) {
            rows.clear();
            count = 1;
        } else if (std::holds_alternative<DecodedCommit>(*decoded)) {
            const std::optional<LogPlace> end = read_place(step.at(0));
            if (!end) return false;
            committed(*end, count, changes, rows);
        }
    }
    return true;
}

void PostgresChangeStream::committed(LogPlace end, std::size_t steps, std::vector<Change>& changes,
                                     std::vector<Change>& rows) {
    if (end <= told_) return;
    told_ = end;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        last_ = std::max(position_of(end, index), last_ + 1);
        rows[index].position = last_;
        changes.push_back(std::move(rows[index]));
    }
    Commit commit;
    commit.end = end;
    commit.steps = steps;
    commit.position = last_;
    read_.push_back(commit);
}

asio::awaitable<Outcome<void>> PostgresChangeStream::confirm(std::uint64_t position) {
    confirmed_ = std::max(confirmed_, position);
    return advance();
}

/// Lets the server forget the transactions of which every row is confirmed, those without any too.
asio::awaitable<Outcome<void>> PostgresChangeStream::advance() {
    LogPlace end = 0;
    std::size_t count = 0;
    for (const Commit& commit : read_) {
        if (commit.position > confirmed_ && commit.position != 0) break;
        end = commit.end;
        ++count;
    }
    if (count == 0) co_return Outcome<void>();
    Command forget =
        command("select pg_replication_slot_advance(cast($1 as name), cast($2 as pg_lsn))",
                parameters(slot_, to_text(end)));
    const Outcome<Rows> forgotten = co_await connection_->run(std::move(forget));
    if (!forgotten) co_return forgotten.error();
    read_.erase(read_.begin(), read_.begin() + static_cast<std::ptrdiff_t>(count));
    co_return Outcome<void>();
}

} // namespace

PostgresChangeStreams::PostgresChangeStreams(Background& background, PostgresOptions options,
                                             Duration poll_interval)
    : poll_interval_(poll_interval) {
    ensure(options.validate().empty(), "the options of PostgreSQL change streams are wrong");
    connector_ = std::make_unique<Connector>(background.executor(), std::move(options));
}

PostgresChangeStreams::~PostgresChangeStreams() = default;

asio::awaitable<Outcome<std::unique_ptr<ChangeStream>>>
PostgresChangeStreams::open(std::string slot) {
    const Duration poll_interval = poll_interval_;
    Outcome<ConnectionPtr> opened = co_await connector_->open();
    if (!opened) co_return opened.error();
    auto stream =
        std::make_unique<PostgresChangeStream>(std::move(*opened), std::move(slot), poll_interval);
    const Outcome<void> taken = co_await stream->take();
    if (!taken) co_return taken.error();
    co_return std::unique_ptr<ChangeStream>(std::move(stream));
}

} // namespace crier::messaging::postgres
