#include "tests/conformance/postgres_test.hpp"

#include <functional>

// The store port over a real PostgreSQL: what product code relies on, seen from outside.

namespace crier::conformance {
namespace {

using namespace std::chrono_literals;
using messaging::postgres::PostgresOptions;

class Postgres : public PostgresTest {};

asio::awaitable<void> write_and_leave_open(Store& store) {
    co_await must(store, "create table t (a bigint)");
    std::unique_ptr<Transaction> kept = co_await must_begin(store);
    co_await must(*kept, "insert into t values (1)");
    co_await must_commit(*kept);
    std::unique_ptr<Transaction> given_up = co_await must_begin(store);
    co_await must(*given_up, "insert into t values (2)");
    std::unique_ptr<Transaction> undone = co_await must_begin(store);
    co_await must(*undone, "insert into t values (3)");
    co_await undone->rollback();
}

asio::awaitable<void> expect_one_row(Store& store) {
    const Rows rows = co_await must(store, "select a from t");
    const Rows expected{{std::int64_t{1}}};
    EXPECT_EQ(rows, expected);
}

TEST_F(Postgres, KeepsWhatWasCommittedAndNothingElse) {
    auto store = open();
    process_.run(write_and_leave_open(*store));
    process_.run(expect_one_row(*store));
    store = open();
    process_.run(expect_one_row(*store));
}

asio::awaitable<void> bind_values(Store& store) {
    co_await must(store, "create table t (a bigint, b double precision, c text, d text, e bytea)");
    const std::string bytes("a\0\xff'\\", 5);
    auto values = parameters(7, 0.1, "it's \\ \xc3\xa4", std::monostate{}, bytes);
    const Rows written = co_await must(
        store, "insert into t values ($1, $2, $3, $4, $5) returning c, a, e", std::move(values));
    const Rows expected_written{{std::string("it's \\ \xc3\xa4"), std::int64_t{7}, bytes}};
    EXPECT_EQ(written, expected_written);
    const Rows found = co_await must(store, "select $2 || $1 || $2, b, d from t where a = $3",
                                     parameters("m", "e", 7));
    const Rows expected{{std::string("eme"), 0.1, std::monostate{}}};
    EXPECT_EQ(found, expected);
    const auto zero = co_await failure_of(store, "select a from t where c = $1",
                                          parameters(std::string("a\0b", 3)));
    EXPECT_EQ(zero, failed(StoreError::statement_error));
}

TEST_F(Postgres, BindsParametersByTheirNumber) {
    auto store = open();
    process_.run(bind_values(*store));
}

asio::awaitable<void> read_types(Store& store) {
    const Rows numbers = co_await must(
        store, "select cast(1 as smallint), cast(-2 as integer), 9223372036854775807, true, false,"
               " sum(n), cast(1.5 as numeric), cast(0.25 as real), cast(1e300 as double precision),"
               " count(*) from (values (1), (2)) as given (n)");
    const Rows expected_numbers{
        {std::int64_t{1}, std::int64_t{-2}, std::int64_t{9223372036854775807}, std::int64_t{1},
         std::int64_t{0}, std::int64_t{3}, 1.5, 0.25, 1e300, std::int64_t{2}}};
    EXPECT_EQ(numbers, expected_numbers);
    const Rows others =
        co_await must(store, "select 'x', cast('y' as varchar(3)), null,"
                             " cast('{\"a\": 1}' as jsonb), '', pg_notify('c', '')");
    const Rows expected_others{{std::string("x"), std::string("y"), std::monostate{},
                                std::string("{\"a\": 1}"), std::string(), std::monostate{}}};
    EXPECT_EQ(others, expected_others);
    const Rows snapshot =
        co_await must(store, "select pg_snapshot_xmin(s), pg_snapshot_xmax(s), pg_current_xact_id()"
                             " from pg_current_snapshot() as s");
    for (const Value& value : snapshot.at(0))
        EXPECT_TRUE(std::holds_alternative<std::int64_t>(value));
}

TEST_F(Postgres, ReadsValuesByTheirTypes) {
    auto store = open();
    process_.run(read_types(*store));
}

asio::awaitable<void> provoke_errors(Store& store) {
    co_await expect_errors_by_name(store);
    const auto read_only = co_await failure_of(
        store, "select set_config('default_transaction_read_only', 'on', false)");
    EXPECT_EQ(read_only, std::nullopt);
    const auto refused = co_await failure_of(store, "insert into p values (3, 1)");
    EXPECT_EQ(refused, failed(StoreError::read_only));
}

TEST_F(Postgres, NamesWhatIsWrongWithAStatement) {
    PostgresOptions options = server_->options();
    options.connections_max = 1;
    auto store = open(options);
    process_.run(provoke_errors(*store));
}

asio::awaitable<void> run_out_of_time(Store& store) {
    const auto canceled = co_await failure_of(store, "select pg_sleep(20)");
    EXPECT_EQ(canceled, failed(StoreError::query_canceled));
    co_await must(store, "create table t (a bigint not null primary key)");
    co_await must(store, "insert into t values (1)");
    std::unique_ptr<Transaction> holder = co_await must_begin(store);
    co_await must(*holder, "select a from t for update");
    std::unique_ptr<Transaction> late = co_await must_begin(store);
    co_await must(*late, "set local statement_timeout = 0");
    const auto timeout = co_await failure_of(*late, "update t set a = 2");
    EXPECT_EQ(timeout, failed(StoreError::lock_timeout));
    std::unique_ptr<Transaction> hasty = co_await must_begin(store);
    const auto not_now = co_await failure_of(*hasty, "select a from t for update nowait");
    EXPECT_EQ(not_now, failed(StoreError::lock_timeout));
}

TEST_F(Postgres, NamesTheTimeThatWasOver) {
    PostgresOptions options = server_->options();
    options.session_setup = {"set statement_timeout = '150ms'", "set lock_timeout = '50ms'"};
    auto store = open(options);
    process_.run(run_out_of_time(*store));
}

asio::awaitable<void> fail_in_the_middle(Store& store) {
    co_await must(store, "create table t (a bigint not null primary key, b text)");
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    co_await must(*transaction, "insert into t values (1)");
    const auto again = co_await failure_of(*transaction, "insert into t values (1)");
    EXPECT_EQ(again, failed(StoreError::unique_violation));
    const auto later = co_await failure_of(*transaction, "insert into t values (2)");
    EXPECT_EQ(later, failed(StoreError::aborted));
    const Outcome<void> committed = co_await transaction->commit();
    EXPECT_EQ(committed.error(), failed(StoreError::aborted));
    // Refused before it reached the server, which would go on.
    transaction = co_await must_begin(store);
    co_await must(*transaction, "insert into t values (1)");
    const Outcome<Rows> refused =
        co_await transaction->execute("update t set b = $1", parameters(std::string("a\0b", 3)));
    EXPECT_EQ(refused.error(), failed(StoreError::statement_error));
    const Outcome<void> neither = co_await transaction->commit();
    EXPECT_EQ(neither.error(), failed(StoreError::aborted));
    // One that the server rolled back behind our back.
    transaction = co_await must_begin(store);
    co_await must(*transaction, "insert into t values (1)");
    co_await must(*transaction, "rollback");
    const Rows rows = co_await must(store, "select a from t");
    EXPECT_TRUE(rows.empty());
}

TEST_F(Postgres, KeepsNothingOfATransactionWithAFailedStatement) {
    auto store = open();
    process_.run(fail_in_the_middle(*store));
}

asio::awaitable<void> defer_the_check(Store& store) {
    co_await must(store, "create table p (id bigint primary key)");
    co_await must(store, "create table c (p bigint references p (id) initially deferred)");
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    co_await must(*transaction, "insert into c values (9)");
    const Outcome<void> committed = co_await transaction->commit();
    EXPECT_EQ(committed.error(), failed(StoreError::foreign_key_violation));
    const auto alone = co_await failure_of(store, "insert into c values (9)");
    EXPECT_EQ(alone, failed(StoreError::foreign_key_violation));
}

TEST_F(Postgres, AConstraintMayFailTheCommitForCertain) {
    auto store = open();
    process_.run(defer_the_check(*store));
}

asio::awaitable<void> prepare_many(Store& store) {
    co_await must(store, "create table t (a bigint)");
    for (int round = 0; round < 3; ++round) {
        for (int number = 0; number < 5; ++number) {
            const std::string text = std::to_string(number);
            const Rows rows = co_await must(store, "select " + text);
            EXPECT_EQ(rows, Rows{{std::int64_t{number}}});
        }
    }
    const Rows kept = co_await must(store, "select count(*) from pg_prepared_statements");
    EXPECT_EQ(kept, Rows{{std::int64_t{2}}});
    // Its plan no longer fits: it fails once, for certain, and is then prepared anew.
    const Rows before = co_await must(store, "select * from t");
    EXPECT_TRUE(before.empty());
    co_await must(store, "alter table t add column b bigint default 3");
    const auto stale = co_await failure_of(store, "select * from t");
    EXPECT_EQ(stale, failed(StoreError::statement_error));
    co_await must(store, "select * from t");
}

TEST_F(Postgres, KeepsABoundedNumberOfPreparedStatements) {
    PostgresOptions options = server_->options();
    options.connections_max = 1;
    options.statements_max = 2;
    auto store = open(options);
    process_.run(prepare_many(*store));
}

asio::awaitable<void> overlap(Store& store) {
    co_await must(store, "create sequence if not exists numbers");
    co_await must(store, "create table t (n bigint not null primary key default"
                         " (nextval('numbers')), a text)");
    std::unique_ptr<Transaction> first = co_await must_begin(store);
    std::unique_ptr<Transaction> second = co_await must_begin(store);
    co_await must(*first, "insert into t (a) values ('first')");
    co_await must(*second, "insert into t (a) values ('second')");
    co_await must_commit(*second);
    const Rows early = co_await must(store, "select n, a from t");
    const Rows expected{{std::int64_t{2}, std::string("second")}};
    EXPECT_EQ(early, expected);
    co_await must_commit(*first);
    const Rows late = co_await must(store, "select n from t order by n");
    const Rows both{{std::int64_t{1}}, {std::int64_t{2}}};
    EXPECT_EQ(late, both);
}

TEST_F(Postgres, TransactionsOverlapAndMayCommitInAnotherOrderThanTheyNumbered) {
    auto store = open();
    process_.run(overlap(*store));
}

// --- The pool.

asio::awaitable<void> exhaust(ProcessPorts ports, Store& store) {
    std::unique_ptr<Transaction> first = co_await must_begin(store);
    std::unique_ptr<Transaction> second = co_await must_begin(store);
    const Outcome<std::unique_ptr<Transaction>> third = co_await store.begin();
    EXPECT_EQ(third.error(), failed(StoreError::unavailable));
    const auto alone = co_await failure_of(store, "select 1");
    EXPECT_EQ(alone, failed(StoreError::unavailable));
    // Who waits is served when a connection comes back, even from one who gave up without a word.
    int served = 0;
    const auto wait_for_one = [](Store& waited_for, int& count) -> asio::awaitable<void> {
        co_await must(waited_for, "select 1");
        ++count;
    };
    for (int number = 0; number < 5; ++number)
        ports.background.spawn("waits", wait_for_one(store, served));
    first.reset();
    std::function<bool()> all = [&served] { return served == 5; };
    co_await until(ports.clock, std::move(all));
    co_await second->rollback();
}

TEST_F(Postgres, ABoundedPoolMakesOthersWaitAndThenRefuses) {
    PostgresOptions options = server_->options();
    options.connections_max = 2;
    options.connection_wait = 100ms;
    auto store = open(options);
    process_.run(exhaust(process_.ports(), *store));
}

asio::awaitable<void> expect_unavailable(Store& store, StoreError error) {
    const Outcome<std::unique_ptr<Transaction>> begun = co_await store.begin();
    EXPECT_EQ(begun.error(), failed(error));
    const auto alone = co_await failure_of(store, "select 1");
    EXPECT_EQ(alone, failed(error));
}

asio::awaitable<void> use_two_servers_worth(Store& store, Store& other) {
    std::unique_ptr<Transaction> first = co_await must_begin(store);
    std::unique_ptr<Transaction> second = co_await must_begin(store);
    co_await expect_unavailable(other, StoreError::too_many_connections);
}

class PostgresOfTwo : public PostgresTest {
    [[nodiscard]] std::vector<std::string> settings() const override {
        return {"max_connections = 2", "superuser_reserved_connections = 0", "max_wal_senders = 0"};
    }
};

TEST_F(PostgresOfTwo, SaysThatTheServerTakesNoMore) {
    auto store = open();
    auto other = open();
    process_.run(use_two_servers_worth(*store, *other));
}

asio::awaitable<void> select_one(Store& store) {
    const Rows rows = co_await must(store, "select 1");
    EXPECT_EQ(rows, Rows{{std::int64_t{1}}});
}

TEST_F(Postgres, ConnectsAgainWhenTheServerIsBack) {
    auto store = open();
    process_.run(select_one(*store));
    server_->crash();
    process_.run(expect_unavailable(*store, StoreError::unavailable));
    server_->start();
    process_.run(select_one(*store));
}

asio::awaitable<void> close_under_waiting(ProcessPorts ports,
                                          std::unique_ptr<messaging::postgres::PostgresStore> store,
                                          std::optional<Failure>& waited,
                                          std::optional<Failure>& ran) {
    std::unique_ptr<Transaction> open = co_await must_begin(*store);
    const auto waiting = [](Store& waited_for,
                            std::optional<Failure>& answer) -> asio::awaitable<void> {
        const Outcome<std::unique_ptr<Transaction>> begun = co_await waited_for.begin();
        if (!begun) answer = begun.error();
    };
    const auto running = [](Transaction& transaction,
                            std::optional<Failure>& answer) -> asio::awaitable<void> {
        answer = co_await failure_of(transaction, "select pg_sleep(60)");
    };
    ports.background.spawn("waiting", waiting(*store, waited));
    ports.background.spawn("running", running(*open, ran));
    co_await ports.clock.sleep(Duration::zero());
    store.reset();
    std::function<bool()> is_told = [&] { return waited.has_value() && ran.has_value(); };
    co_await until(ports.clock, std::move(is_told));
}

TEST_F(Postgres, RefusesWhoWaitsWhenTheStoreGoes) {
    PostgresOptions options = server_->options();
    options.connections_max = 1;
    std::optional<Failure> waited;
    std::optional<Failure> ran;
    process_.run(close_under_waiting(process_.ports(), open(options), waited, ran));
    EXPECT_EQ(waited, failed(StoreError::unavailable));
    EXPECT_EQ(ran, failed(StoreError::connection_lost));
}

// --- Connections that are lost.

/// Waits for a statement of the backend to wait for something of this kind.
asio::awaitable<void> until_waits(ProcessPorts ports, Store& observer, std::int64_t pid,
                                  std::string kind) {
    const Instant give_up = ports.clock.now() + deadline;
    for (;;) {
        const Rows rows = co_await must(
            observer,
            "select count(*) from pg_stat_activity where pid = $1 and wait_event_type = $2",
            parameters(pid, kind));
        if (rows == Rows{{std::int64_t{1}}}) co_return;
        if (ports.clock.now() > give_up) throw std::runtime_error("nothing waits");
    }
}

asio::awaitable<void> lose_a_statement(ProcessPorts ports, Store& store, Store& observer) {
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    const std::int64_t pid = co_await backend_of(*transaction);
    const auto kill = [](ProcessPorts all, Store& by, std::int64_t who) -> asio::awaitable<void> {
        co_await until_waits(all, by, who, "Timeout");
        co_await must(by, "select pg_terminate_backend(cast($1 as integer))", parameters(who));
    };
    ports.background.spawn("kill", kill(ports, observer, pid));
    const auto killed = co_await failure_of(*transaction, "select pg_sleep(60)");
    EXPECT_EQ(killed, failed(StoreError::shutdown));
    const Outcome<void> committed = co_await transaction->commit();
    EXPECT_EQ(committed.error(), failed(StoreError::aborted));
    // Before anything is sent it is certain that nothing was.
    transaction = co_await must_begin(store);
    const std::int64_t other = co_await backend_of(*transaction);
    EXPECT_NE(other, pid);
}

TEST_F(Postgres, AStatementOfALostTransactionHasFailed) {
    auto store = open();
    auto observer = open();
    process_.run(lose_a_statement(process_.ports(), *store, *observer));
}

/// A commit that fires a deferred trigger, which waits: so the connection is lost in the middle.
asio::awaitable<void> make_slow_commits(Store& store) {
    co_await must(store, "create table t (a bigint)");
    co_await must(store, "create function pause() returns trigger language plpgsql as"
                         " 'begin perform pg_sleep(60); return null; end'");
    co_await must(store, "create constraint trigger slow after insert on t deferrable initially"
                         " deferred for each row execute function pause()");
}

asio::awaitable<void> kill_when_slow(ProcessPorts ports, Store& observer) {
    const Instant give_up = ports.clock.now() + deadline;
    for (;;) {
        const Rows killed =
            co_await must(observer, "select pg_terminate_backend(pid) from pg_stat_activity"
                                    " where wait_event = 'PgSleep'");
        if (!killed.empty()) co_return;
        if (ports.clock.now() > give_up) throw std::runtime_error("nothing waits");
    }
}

asio::awaitable<void> lose_a_commit(ProcessPorts ports, Store& store, Store& observer) {
    co_await make_slow_commits(observer);
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    co_await must(*transaction, "insert into t values (1)");
    ports.background.spawn("kill", kill_when_slow(ports, observer));
    const Outcome<void> committed = co_await transaction->commit();
    EXPECT_EQ(committed.error(), unknown(StoreError::shutdown));
    ports.background.spawn("kill", kill_when_slow(ports, observer));
    const auto alone = co_await failure_of(store, "insert into t values (2)");
    EXPECT_EQ(alone, unknown(StoreError::shutdown));
    co_await select_one(store);
}

TEST_F(Postgres, ACommitOfALostConnectionIsUnknown) {
    auto store = open();
    auto observer = open();
    process_.run(lose_a_commit(process_.ports(), *store, *observer));
}

asio::awaitable<void> crash_in_commit(ProcessPorts ports, Store& store, RealPostgres& server) {
    co_await make_slow_commits(store);
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    co_await must(*transaction, "insert into t values (1)");
    const std::int64_t pid = co_await backend_of(*transaction);
    const auto crash = [](ProcessPorts all, Store& by, std::int64_t who,
                          RealPostgres& crashing) -> asio::awaitable<void> {
        co_await until_waits(all, by, who, "Timeout");
        crashing.crash();
    };
    ports.background.spawn("crash", crash(ports, store, pid, server));
    const Outcome<void> committed = co_await transaction->commit();
    EXPECT_TRUE(committed.has_error() && is_unknown(committed.error()));
}

TEST_F(Postgres, ACommitOfACrashedServerIsUnknown) {
    auto store = open();
    process_.run(crash_in_commit(process_.ports(), *store, *server_));
}

asio::awaitable<void> idle_too_long(ProcessPorts ports, Store& store, Store& observer) {
    std::unique_ptr<Transaction> transaction = co_await must_begin(store);
    const std::int64_t pid = co_await backend_of(*transaction);
    const Instant give_up = ports.clock.now() + deadline;
    for (bool is_there = true; is_there && ports.clock.now() < give_up;) {
        const Rows rows = co_await must(
            observer, "select count(*) from pg_stat_activity where pid = $1", parameters(pid));
        is_there = rows != Rows{{std::int64_t{0}}};
    }
    // What was cut while it idled was certainly not committed.
    const Outcome<void> committed = co_await transaction->commit();
    EXPECT_EQ(committed.error(), failed(StoreError::idle_transaction_timeout));
}

TEST_F(Postgres, ATransactionThatIdlesIsCutForCertain) {
    PostgresOptions options = server_->options();
    options.session_setup = {"set idle_in_transaction_session_timeout = '50ms'"};
    auto store = open(options);
    auto observer = open();
    process_.run(idle_too_long(process_.ports(), *store, *observer));
}

asio::awaitable<void> wait_beside(ProcessPorts ports, Store& store) {
    co_await must(store, "create table t (a bigint not null primary key)");
    co_await must(store, "insert into t values (1)");
    std::unique_ptr<Transaction> open = co_await must_begin(store);
    co_await must(*open, "update t set a = 2");
    bool done = false;
    const auto waiting = [](Store& waited_for, bool& finished) -> asio::awaitable<void> {
        co_await must(waited_for, "update t set a = a + 10");
        finished = true;
    };
    ports.background.spawn("waiter", waiting(store, done));
    // Were the loop blocked by the waiter, nothing of this could happen.
    for (int number = 0; number < 20; ++number)
        co_await must(store, "select 1");
    EXPECT_FALSE(done);
    co_await must_commit(*open);
    std::function<bool()> is_done = [&done] { return done; };
    co_await until(ports.clock, std::move(is_done));
    const Rows rows = co_await must(store, "select a from t");
    EXPECT_EQ(rows, Rows{{std::int64_t{12}}});
}

TEST_F(Postgres, WaitsForALockWithoutBlockingTheLoop) {
    auto store = open();
    process_.run(wait_beside(process_.ports(), *store));
}

asio::awaitable<void> send_much(Store& store) {
    co_await must(store, "create table t (a text)");
    // More than the socket takes at once, there and back.
    const std::string large(8'000'000, 'x');
    co_await must(store, "insert into t values ($1)", parameters(large));
    const Rows rows = co_await must(store, "select a || a from t");
    EXPECT_EQ(rows.at(0).at(0), Value(large + large));
}

TEST_F(Postgres, SendsMoreThanTheSocketTakesAtOnce) {
    auto store = open();
    process_.run(send_much(*store));
}

} // namespace
} // namespace crier::conformance
