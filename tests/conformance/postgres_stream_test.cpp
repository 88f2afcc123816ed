#include "messaging/postgres/postgres_change_streams.hpp"
#include "messaging/postgres/postgres_notifications.hpp"
#include "messaging/postgres/test_decoding.hpp"
#include "tests/conformance/postgres_test.hpp"

// Notifications and change streams of a real PostgreSQL.

namespace crier::conformance {
namespace {

using namespace std::chrono_literals;
using messaging::postgres::DecodedBegin;
using messaging::postgres::DecodedCommit;
using messaging::postgres::DecodedInsert;
using messaging::postgres::DecodedOther;
using messaging::postgres::PostgresChangeStreams;
using messaging::postgres::PostgresNotifications;
using messaging::postgres::read_decoded;

class PostgresStreams : public PostgresTest {
protected:
    void SetUp() override {
        PostgresTest::SetUp();
        if (IsSkipped()) return;
        store_ = open();
        notifications_ = std::make_unique<PostgresNotifications>(process_.ports().background,
                                                                 server_->options());
        streams_ = std::make_unique<PostgresChangeStreams>(process_.ports().background,
                                                           server_->options(), 10ms);
    }

    std::unique_ptr<Store> store_;
    std::unique_ptr<Notifications> notifications_;
    std::unique_ptr<ChangeStreams> streams_;
};

// --- Notifications.

asio::awaitable<std::unique_ptr<Listener>> must_listen(Notifications& notifications,
                                                       std::string channel) {
    Outcome<std::unique_ptr<Listener>> listener = co_await notifications.listen(std::move(channel));
    co_return std::move(listener.value());
}

asio::awaitable<void> notify(Store& store, std::string channel) {
    co_await must(store, "select pg_notify($1, 'x')", parameters(channel));
}

asio::awaitable<void> listen(ProcessPorts ports, Store& store, Notifications& notifications) {
    // Nobody listens yet, so it is never told.
    co_await notify(store, "Orders \"x\"");
    const std::unique_ptr<Listener> listener = co_await must_listen(notifications, "Orders \"x\"");
    const std::unique_ptr<Listener> other = co_await must_listen(notifications, "orders");
    Outcome<bool> heard = co_await listener->wait(20ms);
    EXPECT_FALSE(heard.value());
    // Several are one, also when they came before anybody waited.
    co_await notify(store, "Orders \"x\"");
    co_await notify(store, "Orders \"x\"");
    heard = co_await listener->wait(60s);
    EXPECT_TRUE(heard.value());
    heard = co_await listener->wait(Duration::zero());
    EXPECT_FALSE(heard.value());
    heard = co_await other->wait(Duration::zero());
    EXPECT_FALSE(heard.value());
    // What a transaction notifies is told when it commits.
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    co_await must(*transaction, "select pg_notify($1, '')", parameters("orders"));
    heard = co_await other->wait(20ms);
    EXPECT_FALSE(heard.value());
    const auto commit_later = [](ProcessPorts all, Transaction& open) -> asio::awaitable<void> {
        co_await all.clock.sleep(20ms);
        co_await must_commit(open);
    };
    ports.background.spawn("commit", commit_later(ports, *transaction));
    heard = co_await other->wait(60s);
    EXPECT_TRUE(heard.value());
}

TEST_F(PostgresStreams, NotificationsWakeWhoListens) {
    process_.run(listen(process_.ports(), *store_, *notifications_));
}

asio::awaitable<void> lose_the_listener(Store& store, Notifications& notifications) {
    const std::unique_ptr<Listener> listener = co_await must_listen(notifications, "orders");
    const std::unique_ptr<Listener> second = co_await must_listen(notifications, "orders");
    co_await must(store, "select pg_terminate_backend(pid) from pg_stat_activity"
                         " where query like 'listen%'");
    for (int time = 0; time < 2; ++time) {
        const Outcome<bool> heard = co_await listener->wait(60s);
        EXPECT_EQ(heard.error(), failed(StoreError::connection_lost));
    }
    const std::unique_ptr<Listener> again = co_await must_listen(notifications, "orders");
    co_await notify(store, "orders");
    const Outcome<bool> heard = co_await again->wait(60s);
    EXPECT_TRUE(heard.value());
}

TEST_F(PostgresStreams, AListenerSaysThatItsConnectionIsLost) {
    process_.run(lose_the_listener(*store_, *notifications_));
}

// --- Change streams.

asio::awaitable<std::unique_ptr<ChangeStream>> must_open(ChangeStreams& streams, std::string slot) {
    Outcome<std::unique_ptr<ChangeStream>> stream = co_await streams.open(std::move(slot));
    co_return std::move(stream.value());
}

asio::awaitable<std::vector<Change>> must_read(ChangeStream& stream, std::size_t max) {
    Outcome<std::vector<Change>> changes = co_await stream.next(max, 60s);
    co_return std::move(changes.value());
}

asio::awaitable<void> expect_nothing(ChangeStream& stream) {
    const Outcome<std::vector<Change>> changes = co_await stream.next(100, 30ms);
    EXPECT_TRUE(changes.value().empty());
}

asio::awaitable<void> must_confirm(ChangeStream& stream, std::uint64_t position) {
    const Outcome<void> confirmed = co_await stream.confirm(position);
    confirmed.value();
}

std::vector<std::int64_t> numbers_of(const std::vector<Change>& changes) {
    std::vector<std::int64_t> numbers;
    for (const Change& change : changes)
        numbers.push_back(std::get<std::int64_t>(change.row.at(0)));
    return numbers;
}

using Numbers = std::vector<std::int64_t>;

void expect_ascending(const std::vector<Change>& changes) {
    for (std::size_t at = 1; at < changes.size(); ++at)
        EXPECT_LT(changes[at - 1].position, changes[at].position);
}

asio::awaitable<void> stream_commits(Store& store, ChangeStreams& streams) {
    co_await must(store, "create table t (n bigint)");
    co_await must(store, "insert into t values (0)");
    std::unique_ptr<ChangeStream> stream = co_await must_open(streams, "slot");
    co_await expect_nothing(*stream);
    // Written 1, 2, 3, 4; committed 3, 4, 1, 2; what was rolled back never comes.
    std::unique_ptr<Transaction> slow = co_await must_begin(store);
    co_await must(*slow, "insert into t values (1)");
    co_await must(*slow, "insert into t values (2)");
    std::unique_ptr<Transaction> undone = co_await must_begin(store);
    co_await must(*undone, "insert into t values (9)");
    co_await must(store, "insert into t values (3), (4)");
    co_await undone->rollback();
    co_await must_commit(*slow);
    const std::vector<Change> all = co_await must_read(*stream, 100);
    EXPECT_EQ(numbers_of(all), (Numbers{3, 4, 1, 2}));
    expect_ascending(all);
    EXPECT_EQ(all[0].table, "t");
    EXPECT_EQ(all[0].columns, std::vector<std::string>{"n"});
    co_await expect_nothing(*stream);
    // The middle of a transaction confirmed: all of it may come again, what is behind it must.
    co_await must_confirm(*stream, all[2].position);
    stream.reset();
    stream = co_await must_open(streams, "slot");
    const std::vector<Change> again = co_await must_read(*stream, 100);
    EXPECT_EQ(numbers_of(again), (Numbers{1, 2}));
    EXPECT_EQ(again[1].position, all[3].position);
    co_await must_confirm(*stream, again[1].position);
    stream.reset();
    stream = co_await must_open(streams, "slot");
    co_await must(store, "insert into t values (5)");
    const std::vector<Change> rest = co_await must_read(*stream, 100);
    EXPECT_EQ(numbers_of(rest), Numbers{5});
    EXPECT_LT(all[3].position, rest[0].position);
}

TEST_F(PostgresStreams, TellInsertedRowsInTheOrderOfTheirCommits) {
    process_.run(stream_commits(*store_, *streams_));
}

asio::awaitable<void> stream_in_parts(Store& store, ChangeStreams& streams) {
    co_await must(store, "create table t (n bigint)");
    const std::unique_ptr<ChangeStream> stream = co_await must_open(streams, "slot");
    for (int number = 1; number <= 9; ++number)
        co_await must(store, "insert into t values ($1)", parameters(number));
    Numbers told;
    std::vector<Change> all;
    for (int part = 0; told.size() < 9; ++part) {
        const std::vector<Change> some = co_await must_read(*stream, 2);
        EXPECT_LE(some.size(), 3U);
        for (const std::int64_t number : numbers_of(some))
            told.push_back(number);
        all.insert(all.end(), some.begin(), some.end());
        // Confirmed every other time, so that what is outstanding is read over.
        if (part % 2 == 1) co_await must_confirm(*stream, all.back().position);
    }
    EXPECT_EQ(told, (Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9}));
    expect_ascending(all);
}

TEST_F(PostgresStreams, AreReadInPartsOfWholeTransactions) {
    process_.run(stream_in_parts(*store_, *streams_));
}

asio::awaitable<std::string> confirmed_place(Store& store) {
    const Rows rows = co_await must(store, "select confirmed_flush_lsn from pg_replication_slots");
    co_return std::get<std::string>(rows.at(0).at(0));
}

asio::awaitable<void> forget_by_itself(Store& store, ChangeStreams& streams) {
    co_await must(store, "create table t (n bigint)");
    co_await must(store, "insert into t values (1)");
    const std::unique_ptr<ChangeStream> stream = co_await must_open(streams, "slot");
    const std::string before = co_await confirmed_place(store);
    co_await must(store, "update t set n = 2");
    co_await must(store, "delete from t");
    co_await must(store, "truncate t");
    co_await must(store, "select pg_logical_emit_message(true, 'p', 'INSERT')");
    co_await expect_nothing(*stream);
    const std::string after = co_await confirmed_place(store);
    EXPECT_NE(before, after);
    // … but not what comes behind a row that nobody confirmed.
    co_await must(store, "insert into t values (1)");
    co_await must(store, "delete from t");
    const std::vector<Change> changes = co_await must_read(*stream, 100);
    EXPECT_EQ(changes.size(), 1U);
    const std::string kept = co_await confirmed_place(store);
    EXPECT_EQ(kept, after);
}

TEST_F(PostgresStreams, TheServerForgetsWhatHasNoRowsForUs) {
    process_.run(forget_by_itself(*store_, *streams_));
}

asio::awaitable<void> share_a_slot(Store& store, ChangeStreams& streams) {
    std::unique_ptr<ChangeStream> first = co_await must_open(streams, "slot");
    const Outcome<std::unique_ptr<ChangeStream>> second = co_await streams.open("slot");
    EXPECT_EQ(second.error(), failed(StoreError::unavailable));
    const std::unique_ptr<ChangeStream> other = co_await must_open(streams, "other");
    co_await must(store, "select pg_terminate_backend(pid) from pg_stat_activity"
                         " where pid <> pg_backend_pid() and backend_type = 'client backend'");
    const Outcome<std::vector<Change>> lost = co_await first->next(1, 60s);
    EXPECT_TRUE(lost.has_error() && !is_unknown(lost.error()));
    const Outcome<std::vector<Change>> gone = co_await first->next(1, 60s);
    EXPECT_EQ(gone.error(), failed(StoreError::connection_lost));
    first = co_await must_open(streams, "slot");
}

TEST_F(PostgresStreams, ASlotHasOneReader) {
    process_.run(share_a_slot(*store_, *streams_));
}

asio::awaitable<void> stream_values(Store& store, ChangeStreams& streams) {
    co_await must(store, "create table \"My 'T'\" (a bigint, \"B \"\"x\" text, c text, d boolean,"
                         " e double precision, f bytea, g text[], h character varying(9),"
                         " i numeric, j timestamp, \"select\" jsonb)");
    co_await must(store, "create schema other");
    co_await must(store, "create table other.t (n integer)");
    const std::unique_ptr<ChangeStream> stream = co_await must_open(streams, "slot");
    const std::string text = "it's \n table public.t: INSERT: a[bigint]:1 '' \\ \"";
    const std::string bytes("\0\xff'", 3);
    co_await must(store,
                  "insert into \"My 'T'\" values ($1, $2, null, true, 0.5, $3,"
                  " array['x', 'it''s'], 'null', 12, '2026-01-02 03:04:05', '{\"a\": \"b''\"}')",
                  parameters(-7, text, bytes));
    co_await must(store, "insert into other.t values (1)");
    const std::vector<Change> changes = co_await must_read(*stream, 100);
    EXPECT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes.at(0).table, "My 'T'");
    const std::vector<std::string> columns{"a", "B \"x", "c", "d", "e",     "f",
                                           "g", "h",     "i", "j", "select"};
    EXPECT_EQ(changes.at(0).columns, columns);
    const Row row{std::int64_t{-7},
                  text,
                  std::monostate{},
                  std::int64_t{1},
                  0.5,
                  bytes,
                  std::string("{x,it's}"),
                  std::string("null"),
                  std::int64_t{12},
                  std::string("2026-01-02 03:04:05"),
                  std::string("{\"a\": \"b'\"}")};
    EXPECT_EQ(changes.at(0).row, row);
    EXPECT_EQ(changes.at(1).table, "other.t");
}

TEST_F(PostgresStreams, KeepValuesWhatTheyWere) {
    process_.run(stream_values(*store_, *streams_));
}

// --- The texts of test_decoding.

TEST(TestDecoding, ReadsWhatThePluginWrites) {
    EXPECT_TRUE(std::holds_alternative<DecodedBegin>(read_decoded("BEGIN 693").value()));
    EXPECT_TRUE(std::holds_alternative<DecodedCommit>(read_decoded("COMMIT 693").value()));
    const auto other = [](std::string_view text) {
        return std::holds_alternative<DecodedOther>(read_decoded(text).value());
    };
    EXPECT_TRUE(other("table public.t: UPDATE: old-key: a[integer]:1 new-tuple: a[integer]:2"));
    EXPECT_TRUE(other("table public.t: DELETE: (no-tuple-data)"));
    EXPECT_TRUE(other("table public.t, public.\"U, v\": TRUNCATE: (no-flags)"));
    const auto insert = std::get<DecodedInsert>(
        read_decoded("table \"S.\".\"a: INSERT:\": INSERT: \"x[\"[s.\"odd]:\"]:'a''b' b[bit]:B'10'"
                     " c[\"char\"]:'c' d[double precision]:NaN e[integer[]]:'{1}' f[bigint]:null")
            .value());
    EXPECT_EQ(insert.schema, "S.");
    EXPECT_EQ(insert.change.table, "a: INSERT:");
    EXPECT_EQ(insert.change.columns, (std::vector<std::string>{"x[", "b", "c", "d", "e", "f"}));
    EXPECT_EQ(insert.change.row.at(0), Value(std::string("a'b")));
    EXPECT_EQ(insert.change.row.at(1), Value(std::string("10")));
    EXPECT_EQ(insert.change.row.at(4), Value(std::string("{1}")));
    EXPECT_EQ(insert.change.row.at(5), Value());
}

TEST(TestDecoding, RefusesWhatItDoesNotWhollyUnderstand) {
    for (const char* text :
         {"", "BEGIN", "BEGIN x", "COMMIT 1 ", "table t: INSERT: a[integer]:1",
          "table public.t: INSERT: a[integer]:", "table public.t: INSERT: a[integer]:1 ",
          "table public.t: INSERT: a[text]:'x", "table public.t: INSERT: a[text]:'x'y",
          "table public.t: INSERT: a[text:'x'", "table public.t: INSERT: a:1",
          "table public.t: INSERT: A[text]:'x'", "table public.t: MERGE: a[text]:'x'",
          "table public.t: INSERT: []:1", "streaming"}) {
        EXPECT_FALSE(read_decoded(text)) << text;
    }
}

} // namespace
} // namespace crier::conformance
