#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "file_stage.hpp"

// A database in a file, as its process and the world's truth see it: turns, time, what is in doubt
// after a death, and a disk that is full, slow or failing.

namespace crier::broker::test {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

asio::awaitable<std::string> run(FileClient& client, std::string sql) {
    const Outcome<Rows> done = co_await client.store.execute(std::move(sql), parameters());
    co_return told(done);
}

asio::awaitable<void> make_table(FileClient& client) {
    co_await run(client, "create table if not exists charges (id text, customer text)");
}

asio::awaitable<void> insert_each_second(FileClient& client) {
    co_await make_table(client);
    for (;;) {
        const std::string id = std::to_string(client.ports.now().time_since_epoch() / seconds(1));
        const std::string result =
            co_await run(client, "insert into charges values ('" + id + "', 'x')");
        client.note(id + " " + result);
        co_await client.sleep(seconds(1));
    }
}

FileOptions wal_file() {
    return charges_file(JournalMode::wal, FileSync::full);
}

asio::awaitable<void> inserts_in_turn(FileClient& client) {
    co_await make_table(client);
    const auto waits = [](FileClient& self, std::string id) -> asio::awaitable<void> {
        const std::string result =
            co_await run(self, "insert into charges values ('" + id + "', 'x')");
        self.note(id + " " + result);
    };
    auto first = co_await client.store.begin();
    for (const char* const id : {"a", "b", "c"})
        client.ports.spawn("turn", waits(client, id));
    co_await client.sleep(milliseconds(10));
    client.note("commits");
    const Outcome<void> committed = co_await (*first)->commit();
    client.note(told(committed));
}

TEST(FileStore, OneTransactionAtATimeAndTheOthersWait) {
    FileStage stage(wal_file(), inserts_in_turn);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("commits", "ok", "a ok", "b ok", "c ok"));
    EXPECT_EQ(stage.told_rows(), "a;b;c");
}

asio::awaitable<void> abandons_its_turn(FileClient& client) {
    co_await make_table(client);
    {
        auto transaction = co_await client.store.begin();
        const Outcome<Rows> done =
            co_await (*transaction)->execute("insert into charges values ('a', 'x')", parameters());
        client.note(told(done));
    }
    const std::string result = co_await run(client, "insert into charges values ('b', 'x')");
    client.note(result);
}

TEST(FileStore, ATransactionThatIsGivenUpIsUndoneAndPassesTheTurnOn) {
    FileStage stage(wal_file(), abandons_its_turn);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("ok", "ok"));
    EXPECT_EQ(stage.query("select id from charges"), "b");
    EXPECT_EQ(stage.told_rows(), "b");
}

// A commit of a log in mode FULL is a write or two and one sync.
asio::awaitable<void> times_a_commit(FileClient& client) {
    co_await make_table(client);
    auto transaction = co_await client.store.begin();
    const Outcome<Rows> done =
        co_await (*transaction)->execute("insert into charges values ('a', 'x')", parameters());
    const Instant before = client.ports.now();
    const Outcome<void> committed = co_await (*transaction)->commit();
    client.note(told(done) + told(committed));
    client.note(std::to_string((client.ports.now() - before) / microseconds(100)));
}

TEST(FileStore, ACommitTakesTheTimeOfItsIo) {
    FileStage stage(wal_file(), times_a_commit);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("okok", "2"));
    FileStage slow(wal_file(), times_a_commit);
    slow.node.disk().set_slowness(100);
    slow.run(seconds(1));
    EXPECT_THAT(slow.notes, ElementsAre("okok", testing::StartsWith("20")));
}

TEST(FileStore, RefusesWhatAFullDiskCannotHold) {
    FileStage stage(wal_file(), insert_each_second);
    stage.run(milliseconds(1500));
    stage.node.disk().set_full(true);
    stage.run(seconds(1));
    stage.node.disk().set_full(false);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("0 ok", "1 ok", "2 failed disk_full", "3 ok"));
    EXPECT_EQ(stage.query("select id from charges"), "0;1;3");
    EXPECT_EQ(stage.told_rows(), "0;1;3");
}

// Both of what is not known and what has failed for certain: no insert reads or writes before its
// commit here, but a new connection does.
TEST(FileStore, AFailingDiskLeavesACommitInDoubtAndTheStoreUnavailable) {
    FileStage stage(wal_file(), insert_each_second);
    stage.run(milliseconds(1500));
    stage.node.disk().set_failing(true);
    stage.run(seconds(2));
    stage.node.disk().set_failing(false);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("0 ok", "1 ok", "2 unknown connection_lost",
                                         "3 failed unavailable", "4 ok"));
    EXPECT_EQ(stage.query("select id from charges"), "0;1;4");
    EXPECT_EQ(stage.told_rows(), "0;1;4");
}

TEST(FileStore, AFaultMakesTheDiskFailForAWhile) {
    FileStage stage(wal_file(), insert_each_second);
    sim::FaultSpec fault;
    fault.kind = sim::FaultKind::failing_disk;
    fault.nodes = {stage.node.id()};
    fault.trigger.at = Instant(milliseconds(1500));
    fault.duration = seconds(1);
    stage.world.faults().add(std::move(fault));
    stage.run(milliseconds(3500));
    EXPECT_THAT(stage.notes, ElementsAre("0 ok", "1 ok", "2 unknown connection_lost", "3 ok"));
}

// The process dies when the log has the commit, and before it heard of it.
TEST(FileTruth, FindsACommitThatNobodyHeardOfInTheFile) {
    FileStage stage(wal_file(), insert_each_second);
    stage.run(milliseconds(500));
    stage.world.faults().add(io_fault(sim::FaultKind::crash, "disk.sync", 1, stage.node));
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("0 ok"));
    EXPECT_EQ(stage.told_rows(), "0") << "nobody knows yet";
    stage.run(seconds(1));
    EXPECT_EQ(stage.told_rows(), stage.query("select id from charges order by id"));
    EXPECT_EQ(stage.told_rows().substr(0, 3), "0;1");
}

// Without syncs a loss of power takes back what was answered; the next life's file says what.
TEST(FileTruth, StrikesWhatALossOfPowerTook) {
    std::size_t lost = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        FileStage stage(charges_file(JournalMode::wal, FileSync::normal), insert_each_second, seed);
        stage.run(milliseconds(4500));
        EXPECT_EQ(stage.told_rows(), "0;1;2;3;4");
        stage.node.lose_power();
        EXPECT_EQ(stage.told_rows(), "0;1;2;3;4") << "nobody has looked yet";
        stage.node.start();
        stage.run(milliseconds(400));
        EXPECT_EQ(stage.told_rows(), stage.query("select id from charges order by id"));
        lost += stage.count(events::row_lost);
    }
    EXPECT_GT(lost, 0u);
}

asio::awaitable<void> moves_rows(FileClient& client) {
    co_await make_table(client);
    for (const char* const sql :
         {"insert into charges values ('a', 'x')", "insert into charges values ('b', 'x')",
          "update charges set customer = 'y' where id = 'a'", "delete from charges where id = 'b'"})
        co_await run(client, sql);
    client.note("done");
}

// What the product removes on purpose is no loss, and a row that changed is no new one.
TEST(FileTruth, KnowsRowsThatTheProductRemovedOrChanged) {
    FileStage stage(wal_file(), moves_rows);
    stage.run(milliseconds(500));
    stage.node.crash("test");
    EXPECT_EQ(stage.count(events::row_durable), 2u);
    stage.node.start();
    stage.run(microseconds(1));
    EXPECT_EQ(stage.count(events::row_durable), 2u);
    EXPECT_EQ(stage.count(events::row_lost), 0u);
}

asio::awaitable<void> asks_what_a_file_has_not(FileClient& client) {
    co_await make_table(client);
    for (const char* const sql :
         {"select id from charges for update", "select pg_notify('a', 'b')",
          "select pg_current_snapshot()", "begin", "pragma synchronous = off",
          "select random() > 0", "select datetime('now')"}) {
        const std::string result = co_await run(client, sql);
        client.note(result);
    }
}

TEST(FileStore, HasNoLocksNotificationsSnapshotsOrSettings) {
    FileStage stage(wal_file(), asks_what_a_file_has_not);
    stage.run(seconds(1));
    const std::string no = "failed statement_error";
    EXPECT_THAT(stage.notes, ElementsAre(no, no, no, no, no, "ok", "ok"));
}

asio::awaitable<void> draws(FileClient& client) {
    const Outcome<Rows> rows =
        co_await client.store.execute("select random(), random(), datetime('now')", parameters());
    for (const Value& value : rows->front())
        client.note(told(value));
}

TEST(FileStore, DrawsAndTellsTheTimeFromTheWorld) {
    FileStage one(wal_file(), draws, 1);
    FileStage same(wal_file(), draws, 1);
    FileStage other(wal_file(), draws, 2);
    for (FileStage* const stage : {&one, &same, &other})
        stage->run(seconds(1));
    ASSERT_EQ(one.notes.size(), 3u);
    EXPECT_EQ(one.notes, same.notes);
    EXPECT_NE(one.notes[0], other.notes[0]);
    EXPECT_NE(one.notes[0], one.notes[1]);
    EXPECT_EQ(one.notes[2], "2026-01-01 00:00:00");
}

TEST(FileOptions, SayWhatIsWrong) {
    EXPECT_TRUE(wal_file().validate().empty());
    FileOptions options;
    options.checkpoint_pages = 0;
    options.page_size = 1000;
    options.watches = {{"t", "", ""}};
    EXPECT_EQ(options.validate().size(), 4u);
}

} // namespace

} // namespace crier::broker::test
