#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker-model/store/connections.hpp"
#include "store_stage.hpp"

// The SQL of the simulated store: sequences, functions that answer from the world, and the
// harness's own view of a database.

namespace crier::broker::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

asio::awaitable<void> run_sql(Client& client, std::string sql) {
    std::vector<Value> none;
    const Outcome<Rows> rows = co_await client.store.execute(std::move(sql), std::move(none));
    std::string text = told(rows);
    if (rows) {
        for (const Row& row : *rows) {
            for (const Value& value : row)
                text += " " + told(value);
        }
    }
    client.note(text);
}

asio::awaitable<void> uses_sequences(Client& client) {
    co_await run_sql(client, "create sequence positions");
    co_await run_sql(client, "CREATE SEQUENCE IF NOT EXISTS positions;");
    co_await run_sql(client, "create sequence positions");
    co_await run_sql(client, "create table jobs (position bigint not null primary key default "
                             "(nextval('positions')), what text)");
    co_await run_sql(client, "insert into jobs (what) values ('a'), ('b') returning position");
    co_await run_sql(client, "select nextval('nothing')");
    auto transaction = co_await client.store.begin();
    std::string sql = "insert into jobs (what) values ('c')";
    std::vector<Value> none;
    const Outcome<Rows> inserted =
        co_await (*transaction)->execute(std::move(sql), std::move(none));
    client.note(told(inserted));
    co_await (*transaction)->rollback();
    co_await run_sql(client, "insert into jobs (what) values ('d') returning position");
}

TEST(Sequence, FillsColumnsAndIsNotRolledBack) {
    Stage stage(charges_database());
    stage.add_client("c", uses_sequences);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes,
                ElementsAre("c: ok", "c: ok", "c: failed statement_error", "c: ok", "c: ok 1 2",
                            "c: failed statement_error", "c: ok", "c: ok 4"));
}

asio::awaitable<void> counts(Client& client) {
    for (int turn = 0; turn < 40; ++turn)
        co_await run_sql(client, "select nextval('positions')");
}

TEST(Sequence, NeverRepeatsANumber) {
    DatabaseOptions options = charges_database();
    options.schema.emplace_back("create sequence positions");
    Stage stage(options);
    const auto restart = [&stage](bool power) {
        stage.add_client("c" + std::to_string(stage.world.node_count()), counts);
        stage.run(seconds(1));
        if (power) {
            stage.database.node().lose_power();
        } else {
            stage.database.node().crash("test");
        }
        stage.database.node().start();
    };
    for (const bool power : {true, false, false, true, true})
        restart(power);
    ASSERT_EQ(stage.notes.size(), 200u);
    std::int64_t last = 0;
    for (const std::string& note : stage.notes) {
        const std::int64_t number = std::stoll(note.substr(note.rfind(' ')));
        EXPECT_GT(number, last);
        EXPECT_LE(number, last + 33) << "only what was logged ahead is skipped";
        last = number;
    }
}

asio::awaitable<void> asks_the_world(Client& client) {
    co_await client.sleep(seconds(90));
    co_await run_sql(client,
                     "select datetime('now'), date(), unixepoch('now', '+1 day') - unixepoch(), "
                     "strftime('%Y', 'now'), datetime('2000-01-01', '+1 day'), current_timestamp");
    co_await run_sql(client, "select datetime('now', 'localtime')");
    co_await run_sql(client, "select random(), random(), hex(randomblob(9))");
    co_await run_sql(client, "select random()");
}

Notes answers(std::uint64_t seed) {
    DatabaseOptions options = charges_database();
    options.wall_clock.offset = seconds(3);
    Stage stage(options, seed);
    stage.add_client("c", asks_the_world);
    stage.run(seconds(100));
    return stage.notes;
}

TEST(SqlFunctions, AnswerFromTheWorld) {
    const Notes notes = answers(1);
    ASSERT_EQ(notes.size(), 4u);
    EXPECT_EQ(notes[0], "c: ok 2026-01-01 00:01:33 2026-01-01 86400 2026 2000-01-02 00:00:00 "
                        "2026-01-01 00:01:33");
    EXPECT_EQ(notes[1], "c: failed statement_error");
    EXPECT_EQ(notes, answers(1));
    EXPECT_NE(notes[2], answers(2)[2]) << "another seed draws other numbers";
}

asio::awaitable<void> charges_some(Client& client) {
    for (int number = 0; number < 20; ++number) {
        const std::string result =
            co_await charge(client, std::to_string(number), client.node.name(), number);
        client.note(result);
    }
}

std::uint64_t digest_of(std::uint64_t seed) {
    Stage stage(charges_database(), seed);
    stage.add_client("a", charges_some);
    stage.add_client("b", charges_some);
    stage.run(milliseconds(20));
    stage.database.node().crash("test");
    stage.run(milliseconds(5));
    stage.database.node().start();
    stage.run(seconds(60));
    EXPECT_GT(stage.database.commit_count(), 3u);
    return stage.world.history().digest();
}

TEST(Database, GivesOneDigestForOneSeed) {
    const std::uint64_t first = digest_of(7);
    EXPECT_NE(digest_of(8), first);
    EXPECT_EQ(digest_of(7), first);
}

TEST(Database, AnswersTheHarnessWithoutATrace) {
    Stage stage(charges_database());
    stage.add_client("a", charges_some);
    Stage other(charges_database());
    other.add_client("a", charges_some);
    for (int turn = 0; turn < 50; ++turn) {
        stage.run(milliseconds(1));
        (void)stage.query("select count(*), random() from charges");
        EXPECT_EQ(stage.query("select count(*) from charges"),
                  std::to_string(stage.database.commit_count()));
    }
    other.run(milliseconds(50));
    EXPECT_EQ(stage.world.history().digest(), other.world.history().digest());
    EXPECT_THAT(stage.query("insert into charges values ('x', 'y', 1)"), HasSubstr("only reads"));
    EXPECT_THAT(stage.query("select nothing from charges"), HasSubstr("nothing"));
    stage.database.node().crash("test");
    EXPECT_EQ(stage.query("select count(*) from charges"),
              std::to_string(stage.database.commit_count()));
}

TEST(Database, ChecksSqlWithoutRunningIt) {
    Stage stage(charges_database());
    EXPECT_EQ(stage.database.problem_of("select id from charges"), "");
    EXPECT_THAT(stage.database.problem_of("select it from charges"), HasSubstr("it"));
    const std::vector<std::string> schema{"create table t (a text)", "create sequence s"};
    EXPECT_EQ(sql_problem(schema, "select a from t"), "");
    EXPECT_THAT(sql_problem(schema, "select b from t"), HasSubstr("b"));
    EXPECT_THAT(sql_problem({"create tabel t (a text)"}, "select 1"), HasSubstr("tabel"));
    EXPECT_THAT(sql_problem({"create table t (a text primary key) without rowid"}, "select 1"),
                HasSubstr("without rowid"));
    EXPECT_THAT(sql_problem({"create table t (a text)", "create unique index i on t (lower(a))"},
                            "select 1"),
                HasSubstr("a unique index on an expression"));
}

TEST(Database, RefusesWrongOptions) {
    sim::World world(stage_world(1));
    DatabaseOptions options = charges_database();
    options.deadlock_timeout = Duration{};
    options.lock_timeout = Duration{};
    EXPECT_EQ(options.validate().size(), 2u);
    EXPECT_THROW(Database(world, options), ContractViolation);
    DatabaseOptions wrong_schema = charges_database();
    wrong_schema.name = "other";
    wrong_schema.schema.emplace_back("create nonsense");
    EXPECT_THROW(Database(world, wrong_schema), ContractViolation);
}

asio::awaitable<void> reads_types(Client& client) {
    co_await run_sql(client, "select 1 = 1, 1 = 2, cast(-2 as bigint), 'x', null, 0.25, ''");
    for (const std::string& text : {std::string("gr\xc3\xbc\xc3\x9f"), std::string("a\0b", 3),
                                    std::string("\xff"), std::string("\xc3")}) {
        std::vector<Value> values = parameters(text);
        const Outcome<Rows> rows = co_await client.store.execute("select $1", values);
        client.note(told(rows) + (rows ? " " + told(rows->front().front()) : ""));
    }
}

TEST(SimStore, TakesAndGivesPostgresValues) {
    Stage stage(charges_database());
    stage.add_client("c", reads_types);
    stage.run(seconds(1));
    const std::string failed = "c: failed statement_error";
    EXPECT_THAT(stage.notes, ElementsAre("c: ok 1 0 -2 x null 0.250000 ",
                                         "c: ok gr\xc3\xbc\xc3\x9f", failed, failed, failed));
}

asio::awaitable<void> defers(Client& client) {
    co_await run_sql(client, "create table parents (id bigint not null primary key)");
    co_await run_sql(client, "create table children (parent bigint references parents (id) "
                             "deferrable initially deferred)");
    co_await run_sql(client, "create table later (parent bigint references parents (id))");
}

// It would be checked at once, and a scenario would fail where its real database does not.
TEST(SimStore, RefusesADeferredConstraint) {
    Stage stage(charges_database());
    stage.add_client("c", defers);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("c: ok", "c: failed statement_error", "c: ok"));
}

// --- Connections that several databases have in turn ---

/// Two transactions at a time need two connections.
asio::awaitable<void> read_twice(Client& client) {
    std::vector<Value> none;
    auto one = co_await client.store.begin();
    auto two = co_await client.store.begin();
    for (Transaction* const each : {one->get(), two->get()}) {
        const Outcome<Rows> rows = co_await each->execute("select * from things", none);
        std::string text = told(rows);
        for (const Value& value : rows->front())
            text += " " + told(value);
        client.note(text);
    }
}

asio::awaitable<void> keeps_one(Client& client) {
    co_await run_sql(client, "create table things (a text not null)");
    co_await run_sql(client, "insert into things values ('first')");
    co_await read_twice(client);
}

asio::awaitable<void> keeps_two(Client& client) {
    co_await run_sql(client, "create table things (b bigint not null, a text not null)");
    co_await run_sql(client, "insert into things values (2, 'second')");
    co_await read_twice(client);
}

TEST(Connections, ShowAnotherDatabaseOfTheSameStatements) {
    DatabaseOptions options;
    options.name = "db";
    options.connections = std::make_shared<Connections>();
    const auto notes_of = [&options](Script script) {
        Stage stage(options);
        stage.add_client("c", script);
        stage.run(seconds(1));
        return stage.notes;
    };
    for (int turn = 0; turn < 2; ++turn) {
        EXPECT_THAT(notes_of(keeps_one),
                    ElementsAre("c: ok", "c: ok", "c: ok first", "c: ok first"));
        EXPECT_THAT(notes_of(keeps_two),
                    ElementsAre("c: ok", "c: ok", "c: ok 2 second", "c: ok 2 second"));
    }
}

asio::awaitable<void> makes_a_table_twice(Client& client) {
    auto transaction = co_await client.store.begin();
    std::vector<Value> none;
    co_await (*transaction)->execute("create table things (a text)", none);
    co_await (*transaction)->rollback();
    co_await run_sql(client, "create table things (a text)");
    co_await run_sql(client, "create table things (a text)");
}

TEST(Connections, ForgetATableThatWasRolledBack) {
    Stage stage(charges_database());
    stage.add_client("c", makes_a_table_twice);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("c: ok", "c: failed statement_error"));
}

asio::awaitable<void> asks_the_connection(Client& client) {
    co_await run_sql(client, "select last_insert_rowid()");
    co_await run_sql(client, "select changes()");
    co_await run_sql(client, "select total_changes()");
}

TEST(Connections, AreNoneOfAServicesBusiness) {
    Stage stage(charges_database());
    stage.add_client("c", asks_the_connection);
    stage.run(seconds(1));
    const std::string failed = "c: failed statement_error";
    EXPECT_THAT(stage.notes, ElementsAre(failed, failed, failed));
}

} // namespace

} // namespace crier::broker::test
