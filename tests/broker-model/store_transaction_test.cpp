#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store_stage.hpp"

#include <map>

// Transactions of the simulated store while nothing fails but the clients.

namespace crier::broker::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

asio::awaitable<void> run_sql(Client& client, Transaction& transaction, std::string sql) {
    std::vector<Value> none;
    const Outcome<Rows> rows = co_await transaction.execute(std::move(sql), std::move(none));
    client.note(told(rows));
}

asio::awaitable<void> commits_and_rolls_back(Client& client) {
    auto first = co_await client.store.begin();
    co_await run_sql(client, **first, "insert into charges values ('a', 'x', 1)");
    const Outcome<void> committed = co_await (*first)->commit();
    client.note(told(committed));
    auto second = co_await client.store.begin();
    co_await run_sql(client, **second, "insert into charges values ('b', 'x', 1)");
    co_await (*second)->rollback();
    auto third = co_await client.store.begin();
    co_await run_sql(client, **third, "insert into charges values ('c', 'x', 1)");
    third->reset(); // neither: as a rollback
    auto fourth = co_await client.store.begin();
    co_await run_sql(client, **fourth, "insert into charges values ('d', 'x', 1)");
    const Outcome<void> last = co_await (*fourth)->commit();
    client.note(told(last));
}

TEST(SimStore, KeepsWhatWasCommittedAndNothingElse) {
    Stage stage(charges_database());
    stage.add_client("client", commits_and_rolls_back);
    stage.run(seconds(5));
    EXPECT_THAT(stage.notes, ElementsAre("client: ok", "client: ok", "client: ok", "client: ok",
                                         "client: ok", "client: ok"));
    EXPECT_EQ(stage.query("select id from charges order by id"), "a;d");
    EXPECT_THAT(stage.texts(events::row_durable, 1), ElementsAre("a", "d"));
    EXPECT_THAT(stage.texts(events::row_durable, 2), ElementsAre("x", "x"));
    EXPECT_THAT(stage.texts(events::row_durable, 0), ElementsAre("db.charges", "db.charges"));
    EXPECT_EQ(stage.count(events::committed), 2u);
    EXPECT_EQ(stage.database.commit_count(), 2u);
}

asio::awaitable<void> inserts_and_commits_alone(Client& client) {
    std::string sql = "insert into charges values ('e', 'x', 1)";
    std::vector<Value> none;
    const Outcome<Rows> rows = co_await client.store.execute(std::move(sql), std::move(none));
    client.note(told(rows));
}

TEST(SimStore, TellsWhoAskedForACommit) {
    Stage stage(charges_database());
    stage.add_client("one", commits_and_rolls_back);
    stage.add_client("two", inserts_and_commits_alone);
    stage.run(seconds(5));
    std::map<std::uint64_t, int> commits;
    for (const sim::Event& event : stage.world.history().events()) {
        if (event.kind == events::committed.id) ++commits[event.operands[2]];
    }
    EXPECT_EQ(commits, (std::map<std::uint64_t, int>{{stage.world.find("one")->id(), 2},
                                                     {stage.world.find("two")->id(), 1}}));
}

asio::awaitable<void> violates(Client& client) {
    auto transaction = co_await client.store.begin();
    co_await run_sql(client, **transaction, "insert into charges values ('a', 'x', 1)");
    co_await run_sql(client, **transaction, "insert into charges values ('a', 'y', 2)");
    co_await run_sql(client, **transaction, "select 1");
    const Outcome<void> committed = co_await (*transaction)->commit();
    client.note(told(committed));
    for (const char* sql :
         {"insert into charges values ('b', 'x', -1)", "insert into charges values ('b', null, 1)",
          "insert into nowhere values (1)", "commit", "savepoint s", "pragma page_size",
          "select 1; select 2", ""}) {
        auto next = co_await client.store.begin();
        co_await run_sql(client, **next, sql);
    }
}

TEST(SimStore, NamesErrorsAndAbortsTheTransaction) {
    Stage stage(charges_database());
    stage.add_client("c", violates);
    stage.run(seconds(5));
    EXPECT_THAT(stage.notes, ElementsAre("c: ok", "c: failed unique_violation", "c: failed aborted",
                                         "c: failed aborted", "c: failed check_violation",
                                         "c: failed check_violation", "c: failed statement_error",
                                         "c: failed statement_error", "c: failed statement_error",
                                         "c: failed statement_error", "c: failed statement_error",
                                         "c: failed statement_error"));
    EXPECT_EQ(stage.query("select count(*) from charges"), "0");
    EXPECT_EQ(stage.count(events::row_durable), 0u);
}

asio::awaitable<void> uses_parameters(Client& client) {
    std::string sql = "select $2, $1, $2 || $1, $3, $4";
    std::vector<Value> values = parameters("a", "b", 7);
    values.emplace_back();
    const Outcome<Rows> rows = co_await client.store.execute(std::move(sql), std::move(values));
    for (const Value& value : rows->front())
        client.note(told(value));
    std::string short_sql = "select $1, $2";
    std::vector<Value> too_few = parameters(1);
    const Outcome<Rows> refused =
        co_await client.store.execute(std::move(short_sql), std::move(too_few));
    client.note(told(refused));
}

TEST(SimStore, BindsParametersByTheirNumber) {
    Stage stage(charges_database());
    stage.add_client("c", uses_parameters);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("c: b", "c: a", "c: ba", "c: 7", "c: null",
                                         "c: failed statement_error"));
}

/// A database with one row that all want.
DatabaseOptions shared_database() {
    DatabaseOptions options = charges_database();
    options.schema.emplace_back("insert into charges values ('shared', '', 0)");
    return options;
}

constexpr const char* sign_shared =
    "update charges set customer = customer || $1 where id = 'shared'";

asio::awaitable<Outcome<void>> signs(Client& client, Duration holds) {
    auto transaction = co_await client.store.begin();
    std::string sql = sign_shared;
    std::vector<Value> values = parameters(client.node.name() + " ");
    const Outcome<Rows> updated =
        co_await (*transaction)->execute(std::move(sql), std::move(values));
    if (!updated) co_return updated.error();
    co_await client.sleep(holds);
    co_return co_await (*transaction)->commit();
}

asio::awaitable<void> holds_two_seconds(Client& client) {
    constexpr Duration holds = seconds(2);
    const Outcome<void> committed = co_await signs(client, holds);
    client.note(told(committed));
}

asio::awaitable<void> signs_in_its_turn(Client& client) {
    co_await client.sleep(milliseconds(100 * (client.node.name().back() - '0')));
    constexpr Duration at_once{};
    const Outcome<void> committed = co_await signs(client, at_once);
    client.note(told(committed));
}

TEST(SimStore, ServesWaitingTransactionsInOrder) {
    Stage stage(shared_database());
    stage.add_client("first", holds_two_seconds);
    stage.add_client("c3", signs_in_its_turn);
    stage.add_client("c1", signs_in_its_turn);
    stage.add_client("c2", signs_in_its_turn);
    stage.run(milliseconds(1900));
    EXPECT_EQ(stage.query("select customer from charges"), "")
        << "the open transaction is not seen";
    stage.run(seconds(1));
    EXPECT_EQ(stage.query("select customer from charges"), "first c1 c2 c3 ");
}

TEST(SimStore, EndsAWaitWithALockTimeout) {
    DatabaseOptions options = shared_database();
    options.lock_timeout = seconds(1);
    Stage stage(options);
    stage.add_client("first", holds_two_seconds);
    stage.add_client("c1", signs_in_its_turn);
    stage.run(seconds(5));
    EXPECT_THAT(stage.notes, ElementsAre("c1: failed lock_timeout", "first: ok"));
}

asio::awaitable<void> holds_forever(Client& client) {
    auto transaction = co_await client.store.begin();
    co_await run_sql(client, **transaction, "insert into charges values ('held', 'x', 1)");
    co_await client.sleep(seconds(1000));
    const Outcome<void> committed = co_await (*transaction)->commit();
    client.note(told(committed));
}

asio::awaitable<void> wants_what_is_held(Client& client) {
    co_await client.sleep(milliseconds(100));
    const std::string result = co_await charge(client, "held", "y", 1);
    client.note(result);
}

Duration waited_after(void (*strike)(sim::Node&)) {
    Stage stage(charges_database());
    sim::Node& holder = stage.add_client("holder", holds_forever);
    stage.add_client("c1", wants_what_is_held);
    stage.run(seconds(1));
    EXPECT_EQ(stage.count(events::row_durable), 0u);
    strike(holder);
    stage.run(seconds(20));
    EXPECT_THAT(stage.texts(events::row_durable, 2), ElementsAre("y"));
    for (const sim::Event& event : stage.world.history().events()) {
        if (event.kind == events::row_durable.id) return Duration(event.time) - seconds(1);
    }
    return Duration::max();
}

TEST(SimStore, RollsBackWhenTheClientDies) {
    const Duration waited = waited_after([](sim::Node& node) { node.crash("test"); });
    EXPECT_LT(waited, milliseconds(10)) << "the connection's end is heard of";
}

TEST(SimStore, RollsBackByTheIdleTimeoutWhenTheClientsMachineIsGone) {
    const Duration waited = waited_after([](sim::Node& node) { node.lose_power(); });
    EXPECT_GT(waited, seconds(8));
    EXPECT_LT(waited, seconds(11));
}

TEST(SimStore, RefusesACommitAfterTheIdleTimeout) {
    Stage stage(charges_database());
    stage.add_client("holder", holds_forever);
    stage.run(seconds(1001));
    EXPECT_THAT(stage.notes, ElementsAre("holder: ok", "holder: failed idle transaction timeout"));
    EXPECT_EQ(stage.query("select count(*) from charges"), "0");
}

asio::awaitable<void> changes_pending_rows(Client& client) {
    auto transaction = co_await client.store.begin();
    co_await run_sql(client, **transaction, "create table notes (owner text, number bigint)");
    co_await run_sql(client, **transaction,
                     "insert into notes values ('x', 1), ('y', 2), ('z', 3)");
    co_await run_sql(client, **transaction, "delete from notes where number = 2");
    co_await run_sql(client, **transaction, "update notes set number = 30 where number = 3");
    const Outcome<void> committed = co_await (*transaction)->commit();
    client.note(told(committed));
    std::string sql = "update notes set number = 31 where number = 30";
    std::vector<Value> none;
    const Outcome<Rows> updated = co_await client.store.execute(std::move(sql), std::move(none));
    client.note(told(updated));
}

TEST(SimStore, RecordsTheRowsThatATransactionLeavesBehind) {
    DatabaseOptions options = charges_database();
    options.watches.push_back({"notes", "number", ""}); // made later, in a transaction
    Stage stage(options);
    stage.add_client("c", changes_pending_rows);
    stage.run(seconds(1));
    EXPECT_EQ(stage.query("select number from notes order by number"), "1;31");
    EXPECT_THAT(stage.texts(events::row_durable, 1), ElementsAre("1", "30"));
    EXPECT_EQ(stage.count(events::committed), 2u) << "the update wrote, too";
}

asio::awaitable<void> lives_through_rows(Client& client) {
    std::string insert =
        "insert into jobs values ('a', 'billing', null, null), ('b', 'billing', null, "
        "null), ('c', 'shipping', null, null)";
    std::vector<Value> none;
    co_await client.store.execute(std::move(insert), none);
    auto transaction = co_await client.store.begin();
    co_await run_sql(client, **transaction, "update jobs set until = 7 where id = 'a'");
    co_await run_sql(client, **transaction,
                     "update jobs set owner = 'x', until = 8 where id = 'a'");
    co_await run_sql(client, **transaction, "update jobs set owner = 'y' where id = 'b'");
    co_await run_sql(client, **transaction, "update jobs set owner = null where id = 'b'");
    co_await run_sql(client, **transaction, "insert into jobs values ('d', 'billing', 'z', 1)");
    co_await run_sql(client, **transaction, "delete from jobs where id = 'd'");
    co_await (*transaction)->commit();
    std::string give_back = "update jobs set owner = null where id = 'a'";
    co_await client.store.execute(std::move(give_back), none);
    std::string removal = "delete from jobs";
    co_await client.store.execute(std::move(removal), none);
}

DatabaseOptions jobs_database() {
    DatabaseOptions options = charges_database();
    options.schema.emplace_back(
        "create table jobs (id text, consumer text, owner text, until bigint)");
    RowWatch watch{"jobs", "id", "consumer"};
    watch.followed = {{"owner", "owner"}, {"ends", "until"}};
    watch.only_column = "consumer";
    watch.only_value = "billing";
    options.watches = {watch};
    return options;
}

TEST(SimStore, FollowsWhatBecomesOfRows) {
    Stage stage(jobs_database());
    stage.add_client("c", lives_through_rows);
    stage.run(seconds(1));
    EXPECT_THAT(stage.texts(events::row_added, 1), ElementsAre("a", "b"));
    EXPECT_THAT(stage.texts(events::row_added, 0),
                ElementsAre("db.jobs/billing", "db.jobs/billing"));
    EXPECT_THAT(stage.texts(events::row_changed, 1), ElementsAre("a", "a"))
        << "b is as it was when its transaction ends, and d was never there";
    EXPECT_THAT(stage.texts(events::column_text, 3), ElementsAre("x"));
    EXPECT_THAT(stage.texts(events::column_number, 2), ElementsAre("ends"));
    EXPECT_THAT(stage.texts(events::column_cleared, 2), ElementsAre("owner"));
    EXPECT_THAT(stage.texts(events::row_removed, 1), ElementsAre("a", "b"));
    EXPECT_EQ(stage.count(events::row_durable), 0u);
}

TEST(SimStore, TellsWhatAPowerLossMakesOfFollowedRows) {
    DatabaseOptions options = jobs_database();
    options.synchronous = Synchronous::off;
    options.flush_interval = seconds(100);
    options.schema.emplace_back("insert into jobs values ('e', 'billing', 'v', null)");
    std::size_t taken_back = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Stage stage(options, seed);
        stage.add_client("c", lives_through_rows);
        stage.run(seconds(1));
        EXPECT_THAT(stage.texts(events::row_removed, 1), ElementsAre("e", "a", "b"));
        stage.database.node().lose_power();
        stage.database.node().start();
        stage.run(seconds(1));
        // Whatever was taken back, the history's last word on each row is what the table has.
        std::map<std::string, std::string> owners;
        for (const sim::Event& event : stage.world.history().events()) {
            const auto text = [&](std::size_t at) {
                return stage.world.history().texts().find(event.operands[at]);
            };
            if (event.kind == events::row_added.id) owners.try_emplace(text(1));
            if (event.kind == events::row_removed.id || event.kind == events::row_lost.id)
                owners.erase(text(1));
            const bool is_owner =
                event.kind == events::column_text.id || event.kind == events::column_cleared.id;
            if (is_owner && text(2) == "owner")
                owners[text(1)] = event.kind == events::column_text.id ? text(3) : "";
        }
        std::string said;
        for (const auto& [id, owner] : owners)
            said += (said.empty() ? "" : ";") + id + "|" + owner;
        const std::string there = stage.query(
            "select id, coalesce(owner, '') from jobs where consumer = 'billing' order by id");
        EXPECT_EQ(said, there);
        taken_back += there.empty() ? 0 : 1;
    }
    EXPECT_GT(taken_back, 0u);
}

} // namespace

} // namespace crier::broker::test
