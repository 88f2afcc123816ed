#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker-model/store/commit_log.hpp"
#include "store_stage.hpp"

#include <algorithm>

// A database of two nodes: what a replica has, and what a fail-over to it keeps.

namespace crier::broker::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

DatabaseOptions replicated(Replication replica) {
    DatabaseOptions options = charges_database();
    options.schema.emplace_back("create sequence positions");
    options.replica = replica;
    return options;
}

CommitLog& log_of(Stage& stage, std::size_t node) {
    return dynamic_cast<CommitLog&>(*stage.database.nodes()[node]->disk().find("commits"));
}

/// Cuts the link between the two nodes from now on.
void part(Stage& stage, Duration length) {
    sim::FaultSpec fault;
    fault.kind = sim::FaultKind::partition;
    fault.nodes = {stage.database.nodes()[0]->id()};
    fault.peers = {stage.database.nodes()[1]->id()};
    fault.trigger.at = stage.world.now();
    fault.duration = length;
    stage.world.faults().add(std::move(fault));
}

std::size_t rows(Stage& stage) {
    return static_cast<std::size_t>(std::stoul(stage.query("select count(*) from charges")));
}

/// Number after number, from 100 on, each with one from the sequence.
asio::awaitable<void> charges_on(Client& client) {
    for (int number = 100;; ++number) {
        co_await client.sleep(milliseconds(10));
        std::string sql = "insert into charges values ($1, nextval('positions'), 1)";
        std::vector<Value> values = parameters(std::to_string(number));
        const Outcome<Rows> done = co_await client.store.execute(std::move(sql), std::move(values));
        client.note(std::to_string(number) + " " + told(done));
    }
}

std::size_t count_of(const Notes& notes, const std::string& ending) {
    return static_cast<std::size_t>(
        std::count_if(notes.begin(), notes.end(),
                      [&](const std::string& note) { return note.ends_with(ending); }));
}

TEST(FailOver, LosesExactlyWhatTheReplicaDidNotHave) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Stage stage(replicated(Replication::asynchronous), seed);
        stage.add_client("c", charges_on);
        stage.run(milliseconds(505));
        const std::size_t replicated_rows = log_of(stage, 1).synced().number;
        part(stage, seconds(10));
        stage.run(milliseconds(500));
        const std::size_t all = rows(stage);
        ASSERT_GT(all, replicated_rows + 30);
        ASSERT_TRUE(stage.database.fail_over(seconds(1)));
        stage.run(Duration{});
        const std::size_t kept = rows(stage);
        EXPECT_GE(kept, replicated_rows);
        EXPECT_LE(kept, replicated_rows + 1) << "an answer may have been on its way";
        EXPECT_EQ(stage.query("select max(id) from charges"), std::to_string(99 + kept));
        EXPECT_EQ(stage.count(events::row_lost), all - kept);
        EXPECT_EQ(stage.count(events::promoted), 1u);
        stage.run(seconds(1));
        EXPECT_EQ(rows(stage), stage.count(events::row_durable) - stage.count(events::row_lost));
        EXPECT_GT(rows(stage), kept) << "the new primary serves";
    }
}

TEST(FailOver, LosesNothingThatWasReplicated) {
    Stage stage(replicated(Replication::asynchronous));
    stage.add_client("c", charges_on);
    stage.run(milliseconds(507)); // between two commits
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(seconds(1));
    EXPECT_EQ(stage.count(events::row_lost), 0u);
    EXPECT_EQ(rows(stage), count_of(stage.notes, " ok"));
}

TEST(FailOver, AnAsynchronousReplicaThatIsAwayHindersNobody) {
    Stage stage(replicated(Replication::asynchronous));
    stage.add_client("c", charges_on);
    stage.database.nodes()[1]->crash("test");
    stage.run(seconds(1));
    EXPECT_GT(count_of(stage.notes, " ok"), 80u);
    EXPECT_FALSE(stage.database.fail_over(seconds(1))) << "there is nobody to promote";
    EXPECT_TRUE(stage.database.nodes()[0]->is_up());
    stage.database.nodes()[1]->start();
    stage.run(milliseconds(20));
    EXPECT_GE(log_of(stage, 1).synced().number + 2, log_of(stage, 0).synced().number)
        << "it has caught up at once";
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(seconds(1));
    EXPECT_LE(stage.count(events::row_lost), 1u);
}

TEST(FailOver, ASynchronousReplicaThatIsAwayMakesCommitsWait) {
    Stage stage(replicated(Replication::synchronous));
    stage.add_client("c", charges_on);
    stage.run(milliseconds(500));
    const std::size_t before = stage.notes.size();
    EXPECT_GT(before, 30u);
    stage.database.nodes()[1]->crash("test");
    stage.run(seconds(20));
    EXPECT_LE(stage.notes.size(), before + 1);
    stage.database.nodes()[1]->start();
    stage.run(milliseconds(500));
    EXPECT_GT(stage.notes.size(), before + 30);
    EXPECT_EQ(count_of(stage.notes, " ok"), stage.notes.size());
}

asio::awaitable<void> charges_a(Client& client) {
    co_await client.sleep(milliseconds(10));
    const std::string result = co_await charge(client, "a", "x", 1);
    client.note(result);
}

asio::awaitable<void> looks_and_locks(Client& client) {
    co_await client.sleep(milliseconds(100));
    std::string sql = "select count(*) from charges";
    std::vector<Value> none;
    Outcome<Rows> seen = co_await client.store.execute(std::move(sql), std::move(none));
    client.note("sees " + told((*seen)[0][0]));
    const std::string inserted = co_await charge(client, "a", "y", 1);
    client.note(inserted + " " +
                std::to_string(client.ports.now().time_since_epoch() / seconds(1)));
    sql = "select count(*) from charges";
    seen = co_await client.store.execute(std::move(sql), std::move(none));
    client.note("sees " + told((*seen)[0][0]));
}

TEST(FailOver, ACommitThatWaitsForTheReplicaIsNotSeenAndKeepsItsLocks) {
    Stage stage(replicated(Replication::synchronous));
    stage.add_client("c", charges_a);
    stage.add_client("d", looks_and_locks);
    part(stage, seconds(5));
    stage.run(seconds(10));
    EXPECT_THAT(stage.notes,
                testing::UnorderedElementsAre("d: sees 0", "c: ok", "d: failed unique_violation 5",
                                              "d: sees 1"));
}

TEST(FailOver, ACommitThatWaitedIsSeenWhenThePrimaryHasRecovered) {
    Stage stage(replicated(Replication::synchronous));
    part(stage, seconds(30));
    stage.add_client("c", charges_a);
    stage.run(milliseconds(50));
    stage.database.node().crash("test");
    stage.database.node().start();
    stage.add_client("d", looks_and_locks);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("c: unknown connection_lost", "d: sees 1",
                                         "d: failed unique_violation 0", "d: sees 1"));
}

TEST(FailOver, ACommitThatWaitedForTheReplicaIsUnknownAndGone) {
    Stage stage(replicated(Replication::synchronous));
    part(stage, seconds(5));
    stage.add_client("c", charges_a);
    stage.run(milliseconds(100));
    EXPECT_EQ(stage.count(events::row_durable), 1u);
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(seconds(10));
    EXPECT_THAT(stage.notes, ElementsAre("c: unknown connection_lost"));
    EXPECT_EQ(stage.texts(events::row_lost, 1), Notes{"a"});
    EXPECT_EQ(rows(stage), 0u);
}

TEST(FailOver, ACommitThatTheReplicaHadIsKeptThoughNobodyWasTold) {
    Stage stage(replicated(Replication::synchronous));
    stage.add_client("c", charges_a);
    while (log_of(stage, 1).synced().number == 0)
        ASSERT_TRUE(stage.world.step(Instant(seconds(1))));
    EXPECT_THAT(stage.notes, IsEmpty());
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(seconds(10));
    EXPECT_THAT(stage.notes, ElementsAre("c: unknown connection_lost"));
    EXPECT_EQ(stage.count(events::row_lost), 0u);
    EXPECT_EQ(rows(stage), 1u);
}

TEST(FailOver, TheFormerPrimaryComesBackAsAReplicaAndServesAgainWhenItIsPromoted) {
    Stage stage(replicated(Replication::asynchronous));
    sim::Node& first = *stage.database.nodes()[0];
    sim::Node& second = *stage.database.nodes()[1];
    EXPECT_EQ(&stage.database.node(), &first);
    stage.add_client("c", charges_on);
    stage.run(milliseconds(500));
    part(stage, milliseconds(500));
    stage.run(milliseconds(300));
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(milliseconds(100));
    EXPECT_EQ(&stage.database.node(), &second);
    EXPECT_FALSE(first.is_up());
    EXPECT_FALSE(stage.database.fail_over(seconds(1))) << "the only other node is down";
    stage.run(seconds(2));
    EXPECT_TRUE(first.is_up());
    EXPECT_EQ(&stage.database.node(), &second) << "it does not lead by itself";
    EXPECT_EQ(log_of(stage, 0).synced().timeline, log_of(stage, 1).synced().timeline);
    EXPECT_GE(log_of(stage, 0).synced().number + 1, log_of(stage, 1).synced().number);
    const std::size_t lost = stage.count(events::row_lost);
    EXPECT_GT(lost, 10u);
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(seconds(1));
    EXPECT_EQ(&stage.database.node(), &first);
    EXPECT_LE(stage.count(events::row_lost), lost + 1);
    EXPECT_EQ(stage.query("pragma integrity_check"), "ok");
    EXPECT_EQ(rows(stage), stage.count(events::row_durable) - stage.count(events::row_lost));
    EXPECT_EQ(count_of(stage.notes, "unique_violation"), 0u);
}

TEST(FailOver, AFormerPrimaryThatHasNotTakenTheNewStateIsNotPromoted) {
    Stage stage(replicated(Replication::asynchronous));
    stage.add_client("c", charges_on);
    stage.run(milliseconds(500));
    ASSERT_TRUE(stage.database.fail_over(milliseconds(100)));
    stage.run(milliseconds(1));
    part(stage, seconds(3));
    stage.run(seconds(1));
    EXPECT_TRUE(stage.database.nodes()[0]->is_up());
    EXPECT_FALSE(stage.database.fail_over(seconds(1)));
    EXPECT_TRUE(stage.database.nodes()[1]->is_up());
    stage.run(seconds(5));
    EXPECT_TRUE(stage.database.fail_over(seconds(1)));
}

TEST(FailOver, APrimaryThatIsNotReplacedRecovers) {
    Stage stage(replicated(Replication::asynchronous));
    stage.add_client("c", charges_on);
    stage.run(milliseconds(500));
    stage.database.node().crash("test");
    stage.run(milliseconds(500));
    stage.database.node().start();
    stage.run(seconds(6));
    EXPECT_EQ(&stage.database.node(), stage.database.nodes()[0]);
    EXPECT_EQ(stage.count(events::row_lost), 0u);
    EXPECT_EQ(stage.count(events::promoted), 0u);
    EXPECT_GE(log_of(stage, 1).synced().number + 1, log_of(stage, 0).synced().number)
        << "the replica has connected again";
}

TEST(FailOver, APromotionThatTheDiskCannotHoldIsNone) {
    Stage stage(replicated(Replication::asynchronous));
    stage.run(milliseconds(100));
    stage.database.nodes()[1]->disk().set_full(true);
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(seconds(2));
    EXPECT_FALSE(stage.database.nodes()[1]->is_up());
    EXPECT_EQ(&stage.database.node(), stage.database.nodes()[0]);
    EXPECT_EQ(stage.count(events::promoted), 0u);
    stage.add_client("c", charges_a);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("c: ok"));
}

TEST(FailOver, APrimaryThatIsToldToStopWaitsForItsReplica) {
    Stage stage(replicated(Replication::asynchronous));
    stage.add_client("c", charges_on);
    stage.run(milliseconds(500));
    part(stage, seconds(1));
    stage.run(milliseconds(500));
    stage.database.node().stop(seconds(10));
    stage.run(milliseconds(400));
    EXPECT_TRUE(stage.database.node().is_up()) << "the link is cut";
    EXPECT_THAT(stage.notes.back(), testing::EndsWith("failed connection_lost")) << "no more";
    stage.run(seconds(1));
    EXPECT_FALSE(stage.database.node().is_up());
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(seconds(1));
    EXPECT_EQ(stage.count(events::row_lost), 0u);
}

asio::awaitable<void> takes_a_job(Client& client) {
    std::vector<Value> none;
    for (const char* text : {"insert into charges values ('a', 'nobody', 1)", "",
                             "update charges set customer = 'x' where id = 'a'",
                             "insert into charges values ('b', 'y', 1)"}) {
        co_await client.sleep(milliseconds(50));
        std::string sql = text;
        if (sql.empty()) continue; // the link is cut meanwhile
        (void)co_await client.store.execute(std::move(sql), none);
    }
}

TEST(FailOver, TakesBackWhatBecameOfFollowedRows) {
    DatabaseOptions options = replicated(Replication::asynchronous);
    options.watches.front().followed = {{"owner", "customer"}};
    Stage stage(std::move(options));
    stage.add_client("c", takes_a_job);
    stage.run(milliseconds(100));
    part(stage, seconds(10));
    stage.run(milliseconds(300));
    EXPECT_THAT(stage.texts(events::column_text, 3), ElementsAre("nobody", "x", "y"));
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(seconds(1));
    EXPECT_THAT(stage.texts(events::row_lost, 1), ElementsAre("b"));
    EXPECT_THAT(stage.texts(events::column_text, 3), ElementsAre("nobody", "x", "y", "nobody"));
    EXPECT_EQ(stage.query("select id, customer from charges"), "a|nobody");
}

// ---- sequences ----

std::string numbers_from(Stage& stage, const std::string& id) {
    return stage.query("select customer from charges where id = '" + id + "'");
}

TEST(FailOver, SequencesSkipWhatWasReservedAndReplicated) {
    Stage stage(replicated(Replication::synchronous));
    stage.add_client("c", charges_on);
    stage.run(milliseconds(105)); // fewer than 32
    ASSERT_LT(stage.notes.size(), 32u);
    ASSERT_TRUE(stage.database.fail_over(milliseconds(10)));
    stage.run(milliseconds(500));
    EXPECT_EQ(stage.query("select count(*) from charges where customer = '33'"), "1");
    EXPECT_EQ(stage.query("select count(*) from charges where customer in ('31', '32')"), "0");
}

TEST(FailOver, SequencesRepeatNumbersWhoseReservationWasNotReplicated) {
    Stage stage(replicated(Replication::asynchronous));
    stage.add_client("c", charges_on);
    stage.run(milliseconds(105));
    ASSERT_LT(stage.notes.size(), 32u);
    part(stage, milliseconds(600));
    stage.run(milliseconds(500));
    const std::string first = stage.query("select id from charges where customer = '33'");
    ASSERT_NE(first, "");
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(milliseconds(500));
    const std::string again = stage.query("select id from charges where customer = '33'");
    EXPECT_NE(again, "");
    EXPECT_NE(again, first);
    EXPECT_EQ(numbers_from(stage, first), "");
}

// ---- those who stay connected ----

asio::awaitable<void> reads_on(Client& client) {
    for (;;) {
        Outcome<std::unique_ptr<ChangeStream>> opened = co_await client.streams.open("slot");
        if (!opened) {
            co_await client.sleep(milliseconds(500));
            continue;
        }
        client.note("opened");
        for (bool stands = true; stands;) {
            const Outcome<std::vector<Change>> changes = co_await (*opened)->next(10, seconds(1));
            stands = changes.has_value();
            if (!changes || changes->empty()) continue;
            for (const Change& change : *changes)
                client.note(told(change.row.at(0)));
        }
        client.note("lost");
    }
}

asio::awaitable<void> charges_thrice(Client& client) {
    for (const char* id : {"a", "b", "c"}) {
        co_await client.sleep(seconds(1));
        (void)co_await charge(client, id, "x", 1);
    }
}

TEST(FailOver, SlotsAreGoneAndBeginAnew) {
    Stage stage(replicated(Replication::asynchronous));
    stage.add_client("r", reads_on);
    stage.add_client("w", charges_thrice);
    stage.run(milliseconds(1500));
    EXPECT_EQ(log_of(stage, 0).changes().slots().size(), 1u);
    EXPECT_THAT(log_of(stage, 1).changes().slots(), IsEmpty());
    stage.database.nodes()[0]->crash("test");
    ASSERT_TRUE(stage.database.fail_over(seconds(1)));
    stage.run(seconds(3));
    // Nothing was confirmed, and the slot of before would tell of `a` again.
    EXPECT_THAT(stage.notes,
                ElementsAre("r: opened", "r: a", "r: lost", "r: opened", "r: b", "r: c"));
    stage.database.nodes()[0]->start();
    stage.run(seconds(1));
    EXPECT_THAT(log_of(stage, 0).changes().slots(), IsEmpty()) << "pg_rewind keeps none";
}

asio::awaitable<void> listens_on(Client& client) {
    for (;;) {
        Outcome<std::unique_ptr<Listener>> listener = co_await client.notifications.listen("c");
        if (!listener) {
            co_await client.sleep(milliseconds(100));
            continue;
        }
        Outcome<bool> heard = false;
        while (heard) {
            heard = co_await (*listener)->wait(seconds(3));
            if (heard && *heard) client.note("heard");
        }
        client.note(told(heard));
    }
}

asio::awaitable<void> notifies_twice(Client& client) {
    for (int time = 0; time < 2; ++time) {
        co_await client.sleep(seconds(1));
        std::string sql = "select pg_notify('c', '')";
        std::vector<Value> none;
        (void)co_await client.store.execute(std::move(sql), std::move(none));
    }
}

TEST(FailOver, ListenersLoseTheirConnectionAndHearTheNewPrimary) {
    Stage stage(replicated(Replication::synchronous));
    stage.add_client("l", listens_on);
    stage.add_client("n", notifies_twice);
    stage.run(milliseconds(1500));
    ASSERT_TRUE(stage.database.fail_over(milliseconds(100)));
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("l: heard", "l: failed connection_lost", "l: heard"));
}

asio::awaitable<void> commits_late(Client& client) {
    auto transaction = co_await client.store.begin();
    std::string sql = insert_charge;
    std::vector<Value> values = parameters("a", "x", 1);
    const Outcome<Rows> first = co_await (*transaction)->execute(std::move(sql), std::move(values));
    client.note(told(first));
    co_await client.sleep(seconds(2));
    const Outcome<void> done = co_await (*transaction)->commit();
    client.note(told(done));
}

TEST(FailOver, ATransactionOfBeforeHasFailedForCertain) {
    Stage stage(replicated(Replication::asynchronous));
    stage.add_client("c", commits_late);
    stage.run(seconds(1));
    ASSERT_TRUE(stage.database.fail_over(milliseconds(100)));
    stage.run(seconds(3));
    EXPECT_THAT(stage.notes, ElementsAre("c: ok", "c: failed connection_lost"));
    EXPECT_EQ(rows(stage), 0u);
}

// ---- at every point ----

// Ten transactions of two rows each; after a failure the client goes on with the next.
asio::awaitable<void> charges_in_pairs(Client& client) {
    co_await client.sleep(milliseconds(1));
    for (int number = 100; number < 110; ++number) {
        auto transaction = co_await client.store.begin();
        std::string result = "ok";
        for (const char* half : {"a", "b"}) {
            std::string sql = "insert into charges values ($1 || $2, nextval('positions'), 1)";
            std::vector<Value> values = parameters(std::to_string(number), half);
            const Outcome<Rows> inserted =
                co_await (*transaction)->execute(std::move(sql), std::move(values));
            result = told(inserted);
            if (!inserted) break;
        }
        if (result == "ok") {
            const Outcome<void> committed = co_await (*transaction)->commit();
            result = told(committed);
        }
        client.note(std::to_string(number) + " " + result);
        if (result != "ok") co_await client.sleep(milliseconds(500));
    }
}

void expect_consistent(Stage& stage, bool keeps_all, const std::string& when) {
    EXPECT_EQ(stage.query("pragma integrity_check"), "ok") << when;
    EXPECT_EQ(rows(stage), stage.count(events::row_durable) - stage.count(events::row_lost))
        << when;
    EXPECT_EQ(stage.query("select substr(id, 1, 3) from charges group by 1 having count(*) <> 2"),
              "")
        << when << ": a transaction is torn";
    EXPECT_EQ(stage.query("select customer from charges group by customer having count(*) > 1"), "")
        << when << ": a number is there twice";
    const std::vector<std::string> lost = stage.texts(events::row_lost, 1);
    for (const std::string& note : stage.notes) { // `c: 100 ok`
        const std::string number = note.substr(3, 3);
        const std::string found =
            stage.query("select count(*) from charges where substr(id, 1, 3) = '" + number + "'");
        const bool is_lost = std::find(lost.begin(), lost.end(), number + "a") != lost.end();
        if (note.ends_with(" ok") && (keeps_all || !is_lost)) {
            EXPECT_EQ(found, "2") << when << ": " << note;
        }
        if (note.find("failed") != std::string::npos) {
            EXPECT_EQ(found, "0") << when << ": " << note;
        }
    }
}

struct Struck {
    std::uint32_t times = 0;
    std::size_t unknown = 0;
    std::size_t lost = 0;
};

/// Fails over when that node reaches the point, for each time that it does; and back at the end.
Struck fail_over_at_every(const char* point, std::size_t node, Replication replica,
                          std::int64_t slowness = 1) {
    Struck struck;
    for (std::uint32_t nth = 1;; ++nth) {
        Stage stage(replicated(replica), nth);
        stage.add_client("c", charges_in_pairs);
        if (slowness > 1) {
            sim::FaultSpec slow;
            slow.kind = sim::FaultKind::slow_link;
            slow.nodes = {stage.database.nodes()[0]->id()};
            slow.peers = {stage.database.nodes()[1]->id()};
            slow.amount = slowness;
            slow.duration = seconds(5);
            stage.world.faults().add(std::move(slow));
        }
        sim::FaultSpec fault;
        fault.kind = sim::FaultKind::act;
        fault.nodes = {stage.database.nodes()[node]->id()};
        fault.trigger.when = sim::FaultTrigger::When::point;
        fault.trigger.name = point;
        fault.trigger.nth = nth;
        fault.act = [&stage] { return stage.database.fail_over(seconds(1)); };
        const std::uint32_t id = stage.world.faults().add(std::move(fault));
        stage.run(milliseconds(500));
        if (!stage.world.faults().records()[id - 1].began) return struck;
        stage.run(seconds(20));
        const std::string when = std::string(point) + " #" + std::to_string(nth);
        ++struck.times;
        EXPECT_EQ(stage.notes.size(), 10u) << when;
        const bool keeps_all = replica == Replication::synchronous;
        expect_consistent(stage, keeps_all, when);
        struck.lost += stage.count(events::row_lost);
        for (const std::string& note : stage.notes)
            struck.unknown += note.find("unknown") != std::string::npos ? 1 : 0;
        stage.world.faults().heal();
        EXPECT_TRUE(stage.database.fail_over(seconds(1))) << when;
        const std::size_t before = rows(stage);
        stage.run(seconds(2));
        EXPECT_EQ(rows(stage), before) << when << ": both nodes have the same in the end";
        expect_consistent(stage, keeps_all, when + " and back");
    }
}

TEST(FailOver, SynchronousLosesNothingAtAnyDiskPointOfThePrimary) {
    const Struck writes = fail_over_at_every("disk.write", 0, Replication::synchronous);
    const Struck syncs = fail_over_at_every("disk.sync", 0, Replication::synchronous);
    EXPECT_GE(writes.times, 10u);
    EXPECT_GE(syncs.times, 10u);
    EXPECT_GT(writes.unknown + syncs.unknown, 0u);
}

TEST(FailOver, SynchronousLosesNothingAtAnyStepOfThePrimary) {
    const Struck struck = fail_over_at_every("await", 0, Replication::synchronous);
    EXPECT_GE(struck.times, 40u);
    EXPECT_GT(struck.unknown, 0u);
    EXPECT_GT(struck.lost, 0u) << "of what nobody was answered";
}

TEST(FailOver, SynchronousLosesNothingAtAnyPointOfTheReplica) {
    for (const char* point : {"disk.write", "disk.sync", "await"})
        EXPECT_GE(fail_over_at_every(point, 1, Replication::synchronous).times, 10u) << point;
}

TEST(FailOver, AsynchronousTellsWhatItLosesAtEveryStep) {
    const Struck struck = fail_over_at_every("await", 0, Replication::asynchronous, 100);
    EXPECT_GE(struck.times, 40u);
    EXPECT_GT(struck.lost, 0u);
}

TEST(FailOver, SynchronousLosesNothingWhenTheReplicaLosesItsPowerBefore) {
    for (const char* point : {"disk.write", "disk.sync"}) {
        for (std::uint32_t nth = 1; nth <= 10; ++nth) {
            Stage stage(replicated(Replication::synchronous), nth);
            stage.add_client("c", charges_in_pairs);
            sim::FaultSpec fault;
            fault.kind = sim::FaultKind::power_loss;
            fault.nodes = {stage.database.nodes()[1]->id()};
            fault.trigger.when = sim::FaultTrigger::When::point;
            fault.trigger.name = point;
            fault.trigger.nth = nth;
            fault.duration = milliseconds(100);
            stage.world.faults().add(std::move(fault));
            stage.run(seconds(20));
            const std::string when = std::string(point) + " #" + std::to_string(nth);
            EXPECT_TRUE(stage.world.faults().records()[0].began) << when;
            ASSERT_TRUE(stage.database.fail_over(seconds(1))) << when;
            stage.run(seconds(1));
            EXPECT_EQ(stage.count(events::row_lost), 0u) << when;
            expect_consistent(stage, true, when);
        }
    }
}

} // namespace

} // namespace crier::broker::test
