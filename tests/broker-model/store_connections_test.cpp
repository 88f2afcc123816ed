#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store_stage.hpp"

// Connections are few: a client process shares those of its pool, and the server takes so many.

namespace crier::broker::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

DatabaseOptions small_database() {
    DatabaseOptions options;
    options.name = "db";
    options.schema = {"create table t (id bigint not null primary key)"};
    options.pool_size = 2;
    options.pool_wait = seconds(5);
    options.max_connections = 3;
    return options;
}

/// Has a transaction for a while, and tells what came of it and when.
asio::awaitable<void> hold(Client& client, std::string name, Duration duration) {
    const auto tell = [&client, &name](const std::string& what) {
        const auto now = client.ports.now().time_since_epoch();
        const auto whole = std::chrono::duration_cast<std::chrono::seconds>(now).count();
        client.note(name + " " + what + " at " + std::to_string(whole));
    };
    auto transaction = co_await client.store.begin();
    if (!transaction) {
        tell(told(transaction));
        co_return;
    }
    std::vector<Value> none;
    const Outcome<Rows> rows = co_await (*transaction)->execute("select id from t", none);
    tell(told(rows));
    if (rows) co_await client.sleep(duration);
    co_await (*transaction)->rollback();
}

void spawn(Client& client, const std::string& name, Duration duration) {
    client.ports.spawn(name, hold(client, name, duration));
}

asio::awaitable<void> has_three_at_a_time(Client& client) {
    spawn(client, "a", seconds(3));
    spawn(client, "b", seconds(4));
    spawn(client, "c", seconds(9));
    spawn(client, "d", seconds(1));
    spawn(client, "e", seconds(1));
    co_return;
}

TEST(ConnectionPool, MakesOthersWaitInTurnAndThenRefuses) {
    Stage stage(small_database());
    stage.add_client("x", has_three_at_a_time);
    stage.run(seconds(20));
    EXPECT_THAT(stage.notes, ElementsAre("x: a ok at 0", "x: b ok at 0", "x: c ok at 3",
                                         "x: d ok at 4", "x: e failed unavailable at 5"))
        << "d has the second connection until 5, when e's time is over";
}

asio::awaitable<void> statements_at_a_time(Client& client) {
    spawn(client, "a", seconds(3));
    spawn(client, "b", seconds(3));
    co_await client.sleep(milliseconds(1));
    std::vector<Value> none;
    const Outcome<Rows> rows = co_await client.store.execute("select id from t", none);
    client.note(told(rows));
}

TEST(ConnectionPool, IsNeededByAStatementOfItsOwnToo) {
    Stage stage(small_database());
    stage.add_client("x", statements_at_a_time);
    stage.run(seconds(2));
    EXPECT_THAT(stage.notes, ElementsAre("x: a ok at 0", "x: b ok at 0"));
    stage.run(seconds(2));
    EXPECT_THAT(stage.notes, ElementsAre("x: a ok at 0", "x: b ok at 0", "x: ok"));
}

asio::awaitable<void> fills_the_pool(Client& client) {
    spawn(client, "a", seconds(1));
    spawn(client, "b", seconds(1));
    co_return;
}

asio::awaitable<void> comes_again_and_again(Client& client) {
    for (int turn = 0; turn < 4; ++turn) {
        co_await client.sleep(seconds(2));
        co_await hold(client, "turn", milliseconds(10));
    }
}

const std::string too_many =
    "failed " + make_error_code(StoreError::too_many_connections).message();

// Connections are kept when they are not in use, so a client that has them keeps others out.
TEST(DatabaseServer, TakesSoManyConnections) {
    Stage stage(small_database());
    sim::Node& greedy = stage.add_client("x", fills_the_pool);
    stage.add_client("y", comes_again_and_again);
    stage.add_client("z", comes_again_and_again);
    stage.run(seconds(5));
    greedy.crash("test");
    stage.run(seconds(4));
    std::vector<std::string> late(stage.notes.begin() + 2, stage.notes.end());
    std::sort(late.begin(), late.begin() + 2);
    std::sort(late.begin() + 2, late.begin() + 4);
    std::sort(late.begin() + 4, late.begin() + 6);
    // One of the two came first, had the third connection, and kept it.
    EXPECT_EQ(std::count(late.begin(), late.end(), late.front()), 1);
    const auto refused = [&](const std::string& at) {
        return std::count_if(late.begin(), late.end(), [&](const std::string& note) {
            return note.find(too_many + " at " + at) != std::string::npos;
        });
    };
    EXPECT_EQ(refused("2"), 1);
    EXPECT_EQ(refused("4"), 1);
    EXPECT_EQ(refused("6"), 0) << "x is gone";
    EXPECT_EQ(late.size(), 8u);
}

asio::awaitable<void> resets_under_a_statement(Client& client) {
    for (int turn = 0; turn < 8; ++turn) {
        std::vector<Value> none;
        const Outcome<Rows> rows =
            co_await client.store.execute("insert into t values (1) on conflict do nothing", none);
        (void)rows;
        co_await client.sleep(milliseconds(100));
    }
    co_await hold(client, "a", seconds(1));
}

// A statement of its own goes on when its connection breaks, and frees nothing that is not its own.
TEST(DatabaseServer, CountsAConnectionOnce) {
    DatabaseOptions options = small_database();
    options.max_connections = 1;
    options.disk.sync_time = milliseconds(40);
    Stage stage(options);
    sim::Node& client = stage.add_client("x", resets_under_a_statement);
    for (int turn = 0; turn < 12; ++turn) {
        stage.run(milliseconds(60));
        stage.world.network().reset(client.id(), stage.database.node().id());
    }
    stage.run(seconds(3));
    EXPECT_THAT(stage.notes, ElementsAre(testing::StartsWith("x: a ok at")));
}

} // namespace

} // namespace crier::broker::test
