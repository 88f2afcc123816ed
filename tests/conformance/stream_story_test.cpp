#include "tests/conformance/store_test.hpp"
#include "tests/conformance/stream_place.hpp"

// What PostgreSQL does with notifications and change streams, by stories whose outcome is known:
// the same on every arm.

namespace crier::conformance {
namespace {

using namespace std::chrono_literals;

using MakePlace = std::unique_ptr<StreamPlace> (*)(std::string& missing);

class StreamStories : public ::testing::TestWithParam<MakePlace> {
protected:
    void SetUp() override {
        std::string missing;
        place_ = GetParam()(missing);
        if (!place_) GTEST_SKIP() << missing;
    }

    std::unique_ptr<StreamPlace> place_;
};

// --- Notifications.

asio::awaitable<std::unique_ptr<Listener>> must_listen(StreamStage& stage, std::string channel) {
    Outcome<std::unique_ptr<Listener>> listener =
        co_await stage.notifications().listen(std::move(channel));
    co_return std::move(listener.value());
}

asio::awaitable<void> notify(StreamStage& stage, std::string channel) {
    co_await must(stage.store(), "select pg_notify($1, 'x')", parameters(channel));
}

asio::awaitable<bool> hears(Listener& listener, Duration limit) {
    const Outcome<bool> heard = co_await listener.wait(limit);
    co_return heard.value();
}

asio::awaitable<void> listen(StreamStage& stage) {
    // Nobody listens yet, so it is never told.
    co_await notify(stage, "Orders \"x\"");
    const std::unique_ptr<Listener> listener = co_await must_listen(stage, "Orders \"x\"");
    const std::unique_ptr<Listener> other = co_await must_listen(stage, "orders");
    bool heard = co_await hears(*listener, 20ms);
    EXPECT_FALSE(heard);
    // Several are one, also when they came before anybody waited.
    co_await notify(stage, "Orders \"x\"");
    co_await notify(stage, "Orders \"x\"");
    co_await stage.ports().clock.sleep(20ms);
    heard = co_await hears(*listener, 60s);
    EXPECT_TRUE(heard);
    heard = co_await hears(*listener, Duration::zero());
    EXPECT_FALSE(heard);
    heard = co_await hears(*other, Duration::zero());
    EXPECT_FALSE(heard);
    // Two listeners of one channel both hear of it.
    const std::unique_ptr<Listener> third = co_await must_listen(stage, "orders");
    co_await notify(stage, "orders");
    heard = co_await hears(*other, 60s);
    EXPECT_TRUE(heard);
    heard = co_await hears(*third, 60s);
    EXPECT_TRUE(heard);
}

TEST_P(StreamStories, NotificationsWakeWhoListens) {
    place_->run(listen);
}

asio::awaitable<void> notify_in_transactions(StreamStage& stage) {
    const std::unique_ptr<Listener> listener = co_await must_listen(stage, "orders");
    std::unique_ptr<Transaction> transaction = co_await must_begin(stage.store());
    co_await must(*transaction, "select pg_notify('orders', '')");
    bool heard = co_await hears(*listener, 20ms);
    EXPECT_FALSE(heard);
    co_await transaction->rollback();
    heard = co_await hears(*listener, 20ms);
    EXPECT_FALSE(heard);
    transaction = co_await must_begin(stage.store());
    co_await must(*transaction, "select pg_notify('orders', '')");
    const auto wrong = co_await failure_of(*transaction, "selekt");
    EXPECT_EQ(wrong, failed(StoreError::statement_error));
    const Outcome<void> undone = co_await transaction->commit();
    EXPECT_EQ(undone.error(), failed(StoreError::aborted));
    heard = co_await hears(*listener, 20ms);
    EXPECT_FALSE(heard);
    // While somebody waits, and the second time is the same.
    transaction = co_await must_begin(stage.store());
    co_await must(*transaction, "select pg_notify('orders', '')");
    co_await must(*transaction, "select pg_notify('orders', '')");
    const auto commit_later = [](ProcessPorts ports, Transaction& open) -> asio::awaitable<void> {
        co_await ports.clock.sleep(20ms);
        co_await must_commit(open);
    };
    stage.ports().background.spawn("commit", commit_later(stage.ports(), *transaction));
    heard = co_await hears(*listener, 60s);
    EXPECT_TRUE(heard);
    heard = co_await hears(*listener, 20ms);
    EXPECT_FALSE(heard);
}

TEST_P(StreamStories, NotificationsAreToldAtTheCommit) {
    place_->run(notify_in_transactions);
}

asio::awaitable<void> spell_channels(StreamStage& stage) {
    Store& store = stage.store();
    const std::string long_name(63, 'x');
    const std::unique_ptr<Listener> listener = co_await must_listen(stage, long_name + "y");
    co_await notify(stage, long_name);
    const bool heard = co_await hears(*listener, 60s);
    EXPECT_TRUE(heard);
    const std::string ask = "select pg_notify($1, $2)";
    const Failure wrong = failed(StoreError::statement_error);
    auto failure = co_await failure_of(store, ask, parameters(long_name + "x", ""));
    EXPECT_EQ(failure, wrong);
    failure = co_await failure_of(store, ask, parameters("", ""));
    EXPECT_EQ(failure, wrong);
    failure = co_await failure_of(store, ask, parameters("c", std::string(8000, 'x')));
    EXPECT_EQ(failure, wrong);
    co_await must(store, ask, parameters("c", std::string(7999, 'x')));
    const Outcome<std::unique_ptr<Listener>> nobody = co_await stage.notifications().listen("");
    EXPECT_EQ(nobody.error(), wrong);
}

TEST_P(StreamStories, ChannelsHaveNamesOfABoundedLength) {
    place_->run(spell_channels);
}

asio::awaitable<void> lose_listeners(StreamStage& stage) {
    const std::unique_ptr<Listener> listener = co_await must_listen(stage, "orders");
    const std::unique_ptr<Listener> second = co_await must_listen(stage, "orders");
    co_await stage.cut();
    for (int time = 0; time < 2; ++time) {
        const Outcome<bool> heard = co_await listener->wait(60s);
        EXPECT_EQ(heard.error(), failed(StoreError::connection_lost));
    }
    // What comes now is never told.
    co_await notify(stage, "orders");
    const std::unique_ptr<Listener> again = co_await must_listen(stage, "orders");
    bool told = co_await hears(*again, 20ms);
    EXPECT_FALSE(told);
    co_await notify(stage, "orders");
    told = co_await hears(*again, 60s);
    EXPECT_TRUE(told);
    const Outcome<bool> still = co_await second->wait(Duration::zero());
    EXPECT_EQ(still.error(), failed(StoreError::connection_lost));
    // A server that crashes takes its listeners with it.
    co_await stage.crash_server();
    const Outcome<bool> crashed = co_await again->wait(60s);
    EXPECT_EQ(crashed.error(), failed(StoreError::connection_lost));
    const std::unique_ptr<Listener> last = co_await must_listen(stage, "orders");
    co_await notify(stage, "orders");
    told = co_await hears(*last, 60s);
    EXPECT_TRUE(told);
}

TEST_P(StreamStories, AListenerSaysThatItsConnectionIsLost) {
    place_->run(lose_listeners);
}

asio::awaitable<void> hear_before_the_loss(StreamStage& stage) {
    const std::unique_ptr<Listener> listener = co_await must_listen(stage, "orders");
    co_await notify(stage, "orders");
    co_await stage.ports().clock.sleep(20ms);
    co_await stage.cut();
    const bool heard = co_await hears(*listener, 60s);
    EXPECT_TRUE(heard);
    const Outcome<bool> lost = co_await listener->wait(60s);
    EXPECT_EQ(lost.error(), failed(StoreError::connection_lost));
}

TEST_P(StreamStories, WhatCameBeforeTheLossIsToldBeforeIt) {
    place_->run(hear_before_the_loss);
}

// --- Change streams.

using Numbers = std::vector<std::int64_t>;

asio::awaitable<std::unique_ptr<ChangeStream>> must_open(StreamStage& stage, std::string slot) {
    Outcome<std::unique_ptr<ChangeStream>> stream = co_await stage.streams().open(std::move(slot));
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

Numbers numbers_of(const std::vector<Change>& changes) {
    Numbers numbers;
    for (const Change& change : changes)
        numbers.push_back(std::get<std::int64_t>(change.row.at(0)));
    return numbers;
}

/// Reads until so many have come.
asio::awaitable<Numbers> must_read_numbers(ChangeStream& stream, std::size_t count) {
    Numbers numbers;
    while (numbers.size() < count) {
        const std::vector<Change> changes = co_await must_read(stream, 100);
        const Numbers more = numbers_of(changes);
        numbers.insert(numbers.end(), more.begin(), more.end());
    }
    co_return numbers;
}

void expect_ascending(const std::vector<Change>& changes) {
    for (std::size_t at = 1; at < changes.size(); ++at)
        EXPECT_LT(changes[at - 1].position, changes[at].position);
}

asio::awaitable<void> stream_commits(StreamStage& stage) {
    Store& store = stage.store();
    co_await must(store, "create table t (n bigint)");
    co_await must(store, "insert into t values (0)");
    std::unique_ptr<ChangeStream> stream = co_await must_open(stage, "slot");
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
    stream = co_await must_open(stage, "slot");
    const std::vector<Change> again = co_await must_read(*stream, 100);
    EXPECT_EQ(numbers_of(again), (Numbers{1, 2}));
    EXPECT_EQ(again[1].position, all[3].position);
    co_await must_confirm(*stream, again[1].position);
    stream.reset();
    stream = co_await must_open(stage, "slot");
    co_await must(store, "insert into t values (5)");
    const std::vector<Change> rest = co_await must_read(*stream, 100);
    EXPECT_EQ(numbers_of(rest), Numbers{5});
    EXPECT_LT(all[3].position, rest[0].position);
}

TEST_P(StreamStories, InsertedRowsAreToldInTheOrderOfTheirCommits) {
    place_->run(stream_commits);
}

asio::awaitable<void> stream_in_parts(StreamStage& stage) {
    Store& store = stage.store();
    co_await must(store, "create table t (n bigint)");
    const std::unique_ptr<ChangeStream> stream = co_await must_open(stage, "slot");
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
    // A transaction comes as a whole, however large.
    co_await must(store, "insert into t values (10), (11), (12), (13), (14)");
    const std::vector<Change> whole = co_await must_read(*stream, 2);
    EXPECT_EQ(numbers_of(whole), (Numbers{10, 11, 12, 13, 14}));
}

TEST_P(StreamStories, WholeTransactionsAreReadInParts) {
    place_->run(stream_in_parts);
}

asio::awaitable<void> stream_inserts_only(StreamStage& stage) {
    Store& store = stage.store();
    co_await must(store, "create table t (n bigint primary key, m bigint)");
    co_await must(store, "create table u (n bigint)");
    const std::unique_ptr<ChangeStream> stream = co_await must_open(stage, "slot");
    co_await must(store, "insert into t values (1, 1)");
    co_await must(store, "update t set m = 2");
    co_await must(store, "insert into t values (1, 3) on conflict (n) do update set m = 3");
    co_await must(store, "insert into t values (1, 4) on conflict do nothing");
    const auto twice = co_await failure_of(store, "insert into t values (1, 5)");
    EXPECT_EQ(twice, failed(StoreError::unique_violation));
    co_await must(store, "delete from t");
    // A row is told as it was inserted, whatever becomes of it.
    const std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    co_await must(*transaction, "insert into t values (2, 1)");
    co_await must(*transaction, "update t set m = 2");
    co_await must(*transaction, "delete from t");
    co_await must(*transaction, "insert into u select n + 1 from (select 2 as n) x");
    co_await must_commit(*transaction);
    std::vector<Change> all;
    while (all.size() < 3) {
        const std::vector<Change> some = co_await must_read(*stream, 100);
        all.insert(all.end(), some.begin(), some.end());
    }
    EXPECT_EQ(numbers_of(all), (Numbers{1, 2, 3}));
    EXPECT_EQ(all[0].row.at(1), Value(std::int64_t{1}));
    EXPECT_EQ(all[1].row.at(1), Value(std::int64_t{1}));
    EXPECT_EQ(all[1].table, "t");
    EXPECT_EQ(all[2].table, "u");
    EXPECT_EQ(all[1].columns, (std::vector<std::string>{"n", "m"}));
    co_await expect_nothing(*stream);
}

TEST_P(StreamStories, NothingButInsertedRowsIsTold) {
    place_->run(stream_inserts_only);
}

asio::awaitable<void> open_later(StreamStage& stage, std::unique_ptr<ChangeStream>& stream) {
    stream = co_await must_open(stage, "slot");
}

// A slot begins where nobody is under way: those who run when it is made end before, also those who
// began meanwhile; who has written nothing by then is no part of that.
asio::awaitable<void> begin_a_slot(StreamStage& stage) {
    Store& store = stage.store();
    Clock& clock = stage.ports().clock;
    co_await must(store, "create table t (n bigint)");
    const std::unique_ptr<Transaction> first = co_await must_begin(store);
    co_await must(*first, "insert into t values (1)");
    const std::unique_ptr<Transaction> reads = co_await must_begin(store);
    co_await must(*reads, "select count(*) from t");
    std::unique_ptr<ChangeStream> stream;
    stage.ports().background.spawn("open", open_later(stage, stream));
    co_await clock.sleep(100ms);
    const std::unique_ptr<Transaction> second = co_await must_begin(store);
    co_await must(*second, "insert into t values (2)");
    co_await must(store, "insert into t values (3)");
    EXPECT_EQ(stream, nullptr);
    co_await must_commit(*first);
    co_await clock.sleep(100ms);
    EXPECT_EQ(stream, nullptr);
    const std::unique_ptr<Transaction> third = co_await must_begin(store);
    co_await must(*third, "insert into t values (4)");
    co_await must_commit(*second);
    for (int look = 0; look < 600 && stream == nullptr; ++look)
        co_await clock.sleep(100ms);
    EXPECT_NE(stream, nullptr);
    co_await must(*reads, "insert into t values (5)");
    co_await must_commit(*reads);
    co_await must(*third, "insert into t values (6)");
    co_await must_commit(*third);
    const Numbers told = co_await must_read_numbers(*stream, 3);
    EXPECT_EQ(told, (Numbers{5, 4, 6}));
}

TEST_P(StreamStories, ASlotBeginsWhenWhoWasUnderWayHasEnded) {
    place_->run(begin_a_slot);
}

asio::awaitable<void> share_a_slot(StreamStage& stage) {
    std::unique_ptr<ChangeStream> first = co_await must_open(stage, "slot");
    const Outcome<std::unique_ptr<ChangeStream>> second = co_await stage.streams().open("slot");
    EXPECT_EQ(second.error(), failed(StoreError::unavailable));
    const std::unique_ptr<ChangeStream> other = co_await must_open(stage, "other");
    co_await stage.cut();
    const Outcome<std::vector<Change>> lost = co_await first->next(1, 60s);
    EXPECT_TRUE(lost.has_error() && !is_unknown(lost.error()));
    const Outcome<std::vector<Change>> gone = co_await first->next(1, 60s);
    EXPECT_EQ(gone.error(), failed(StoreError::connection_lost));
    first = co_await must_open(stage, "slot");
    // Who goes leaves it free.
    first.reset();
    co_await stage.ports().clock.sleep(100ms);
    first = co_await must_open(stage, "slot");
    const Outcome<std::unique_ptr<ChangeStream>> wrong = co_await stage.streams().open("A-b");
    EXPECT_EQ(wrong.error(), failed(StoreError::statement_error));
}

TEST_P(StreamStories, ASlotHasOneReader) {
    place_->run(share_a_slot);
}

// What is confirmed is written down now and then only: a crash brings it back. What was read comes
// again at the same positions.
asio::awaitable<void> crash_behind_a_confirmation(StreamStage& stage) {
    Store& store = stage.store();
    co_await must(store, "create table t (n bigint)");
    std::unique_ptr<ChangeStream> stream = co_await must_open(stage, "slot");
    co_await must(store, "insert into t values (1)");
    co_await must(store, "insert into t values (2)");
    const std::vector<Change> before = co_await must_read(*stream, 100);
    EXPECT_EQ(numbers_of(before), (Numbers{1, 2}));
    co_await must_confirm(*stream, before[0].position);
    co_await stage.crash_server();
    const Outcome<std::vector<Change>> lost = co_await stream->next(1, 60s);
    EXPECT_TRUE(lost.has_error() && !is_unknown(lost.error()));
    stream = co_await must_open(stage, "slot");
    const std::vector<Change> again = co_await must_read(*stream, 100);
    EXPECT_EQ(numbers_of(again), (Numbers{1, 2}));
    EXPECT_EQ(again[0].position, before[0].position);
    EXPECT_EQ(again[1].position, before[1].position);
    co_await must(store, "insert into t values (3)");
    const std::vector<Change> rest = co_await must_read(*stream, 100);
    EXPECT_EQ(numbers_of(rest), Numbers{3});
    EXPECT_LT(again[1].position, rest[0].position);
}

TEST_P(StreamStories, ACrashBringsBackWhatWasJustConfirmed) {
    place_->run(crash_behind_a_confirmation);
}

asio::awaitable<void> stream_before_the_flush(StreamStage& stage) {
    Store& store = stage.store();
    co_await must(store, "create table t (n bigint)");
    const std::unique_ptr<ChangeStream> stream = co_await must_open(stage, "slot");
    co_await must(store, "insert into t values (1)");
    const Rows seen = co_await must(store, "select n from t");
    EXPECT_EQ(seen.size(), 1U);
    co_await expect_nothing(*stream);
    const Numbers told = co_await must_read_numbers(*stream, 1);
    EXPECT_EQ(told, Numbers{1});
}

// What a loss of power could take back is not told.
TEST_P(StreamStories, WhatIsNotOnTheDiskIsNotTold) {
    place_->run(stream_before_the_flush, StreamPlace::Flush::late);
}

asio::awaitable<void> stream_values(StreamStage& stage) {
    Store& store = stage.store();
    co_await must(store, "create table \"My 'T'\" (a bigint, \"B \"\"x\" text, c text,"
                         " e double precision, f double precision, h text default 'given')");
    const std::unique_ptr<ChangeStream> stream = co_await must_open(stage, "slot");
    const std::string text = "it's \n table public.t: INSERT: a[bigint]:1 '' \\ \"";
    co_await must(store,
                  "insert into \"My 'T'\" (a, \"B \"\"x\", c, e, f) values ($1, $2, null, 0.5, 2)",
                  parameters(-7, text));
    const std::vector<Change> changes = co_await must_read(*stream, 100);
    EXPECT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes.at(0).table, "My 'T'");
    EXPECT_EQ(changes.at(0).columns, (std::vector<std::string>{"a", "B \"x", "c", "e", "f", "h"}));
    const Row row{std::int64_t{-7},    text, std::monostate{}, 0.5, std::int64_t{2},
                  std::string("given")};
    EXPECT_EQ(changes.at(0).row, row);
}

TEST_P(StreamStories, ValuesStayWhatTheyWere) {
    place_->run(stream_values);
}

INSTANTIATE_TEST_SUITE_P(Model, StreamStories, ::testing::Values(model_stream_place));
INSTANTIATE_TEST_SUITE_P(Postgres, StreamStories, ::testing::Values(postgres_stream_place));

} // namespace
} // namespace crier::conformance
