#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker-model/store/sequences.hpp"

#include "store_stage.hpp"

#include <set>

#include <algorithm>
#include <functional>

// The simulated store under faults: answers that are lost, and deaths in the middle of a disk write
// or sync, at each of them.

namespace crier::broker::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

sim::FaultSpec call_fault(sim::FaultKind kind, const char* call, sim::Node& node) {
    sim::FaultSpec fault;
    fault.kind = kind;
    fault.nodes = {node.id()};
    fault.trigger.when = sim::FaultTrigger::When::call;
    fault.trigger.name = call;
    fault.what = call;
    return fault;
}

sim::FaultSpec disk_fault(sim::FaultKind kind, const char* point, std::uint32_t nth,
                          sim::Node& node) {
    sim::FaultSpec fault;
    fault.kind = kind;
    fault.nodes = {node.id()};
    fault.trigger.when = sim::FaultTrigger::When::point;
    fault.trigger.name = point;
    fault.trigger.nth = nth;
    fault.duration = seconds(1);
    fault.what = point;
    return fault;
}

asio::awaitable<void> charges_once(Client& client) {
    co_await client.sleep(milliseconds(1)); // calls to come find the faults in place
    const std::string result = co_await charge(client, "a", "x", 1);
    client.note(result);
}

asio::awaitable<void> inserts_once(Client& client) {
    co_await client.sleep(milliseconds(1));
    std::string sql = insert_charge;
    std::vector<Value> values = parameters("a", "x", 1);
    const Outcome<Rows> result = co_await client.store.execute(std::move(sql), std::move(values));
    client.note(told(result));
}

struct Fate {
    std::string client;
    std::string rows;
};

Fate fate_of(Script script, sim::FaultKind kind, const char* call) {
    Stage stage(charges_database());
    stage.add_client("c", script);
    stage.world.faults().add(call_fault(kind, call, stage.database.node()));
    stage.run(seconds(60));
    EXPECT_EQ(stage.world.faults().records()[0].hits, 1u) << call;
    const std::string count = std::to_string(stage.count(events::row_durable));
    EXPECT_EQ(stage.query("select count(*) from charges"), count);
    return {stage.notes.empty() ? "" : stage.notes.front(), count};
}

TEST(SimStore, DoesNotKnowWhetherACommitHappenedWhenItsAnswerIsLost) {
    const Fate lost = fate_of(charges_once, sim::FaultKind::lose_answer, "sql-commit");
    EXPECT_EQ(lost.client, "c: unknown connection_lost");
    EXPECT_EQ(lost.rows, "1");
    const Fate dropped = fate_of(charges_once, sim::FaultKind::drop_request, "sql-commit");
    EXPECT_EQ(dropped.client, "c: unknown connection_lost");
    EXPECT_EQ(dropped.rows, "0");
}

TEST(SimStore, DoesNotKnowWhetherAStatementOfItsOwnHappenedWhenItsAnswerIsLost) {
    const Fate lost = fate_of(inserts_once, sim::FaultKind::lose_answer, "sql-execute");
    EXPECT_EQ(lost.client, "c: unknown connection_lost");
    EXPECT_EQ(lost.rows, "1");
}

TEST(SimStore, KnowsThatNothingHappenedWhenAStatementHasNoAnswer) {
    const Fate lost = fate_of(charges_once, sim::FaultKind::lose_answer, "sql-statement");
    EXPECT_EQ(lost.client, "c: failed connection_lost");
    EXPECT_EQ(lost.rows, "0");
}

asio::awaitable<void> knocks_until_let_in(Client& client) {
    co_await client.sleep(milliseconds(500));
    for (int count = 0; count < 60; ++count) {
        // What the transaction before has inserted, and has not committed.
        std::string sql = "insert into charges (id, customer, amount) values ('a', 'y', 1)";
        std::vector<Value> values;
        const Outcome<Rows> result =
            co_await client.store.execute(std::move(sql), std::move(values));
        if (result) {
            client.note(std::to_string(client.ports.now().time_since_epoch() / seconds(1)));
            co_return;
        }
    }
}

asio::awaitable<void> rolls_back_once(Client& client) {
    co_await client.sleep(milliseconds(1));
    auto transaction = co_await client.store.begin();
    std::vector<Value> values = parameters("a", "x", 1);
    std::string sql = insert_charge;
    co_await (*transaction)->execute(std::move(sql), std::move(values));
    co_await (*transaction)->rollback();
}

asio::awaitable<void> begins_and_forgets(Client& client) {
    auto transaction = co_await client.store.begin();
    std::vector<Value> values = parameters("a", "x", 1);
    std::string sql = insert_charge;
    co_await (*transaction)->execute(std::move(sql), std::move(values));
    co_await client.sleep(std::chrono::hours(1));
}

// When the transaction of `owner`, whose call was dropped, is in nobody's way any more.
std::string freed_after(Script owner, const char* dropped, Duration idle_timeout) {
    DatabaseOptions options = charges_database();
    options.idle_transaction_timeout = idle_timeout;
    options.lock_timeout = seconds(1);
    Stage stage(std::move(options));
    stage.add_client("c", owner);
    if (dropped != nullptr) {
        stage.world.faults().add(
            call_fault(sim::FaultKind::drop_request, dropped, stage.database.node()));
    }
    stage.add_client("d", knocks_until_let_in);
    stage.run(seconds(120));
    const auto first = std::find_if(stage.notes.begin(), stage.notes.end(),
                                    [](const std::string& note) { return note[0] != 'c'; });
    return first == stage.notes.end() ? "never" : first->substr(first->find(' ') + 1);
}

// The client gives the connection up after its 30 seconds; the server need not know of it by
// itself.
TEST(SimStore, ClosesItsConnectionWhenACommitOrRollbackHasNoAnswer) {
    const Duration never = std::chrono::hours(1);
    EXPECT_EQ(freed_after(charges_once, "sql-commit", never), "30");
    EXPECT_EQ(freed_after(rolls_back_once, "sql-rollback", never), "30");
}

TEST(SimStore, UndoesAnIdleTransactionHoweverManyOthersKnock) {
    EXPECT_EQ(freed_after(begins_and_forgets, nullptr, seconds(10)), "10");
}

TEST(SimStore, IsUnavailableWhileTheServerIsDown) {
    Stage stage(charges_database());
    stage.database.node().crash("test");
    stage.add_client("c", charges_once);
    stage.add_client("d", inserts_once);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes,
                testing::UnorderedElementsAre("c: failed unavailable", "d: failed unavailable"));
}

TEST(SimStore, RefusesWhatAFullDiskCannotHold) {
    Stage stage(charges_database());
    stage.database.node().disk().set_full(true);
    stage.add_client("c", charges_once);
    stage.run(seconds(1));
    stage.database.node().disk().set_full(false);
    stage.add_client("d", charges_once);
    stage.run(seconds(1));
    EXPECT_THAT(stage.notes, ElementsAre("c: failed disk_full", "d: ok"));
    EXPECT_EQ(stage.query("select count(*) from charges"), "1");
}

// Ten transactions of two rows each, by number; after a failure the client waits for the restart.
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
        if (result != "ok") co_await client.sleep(seconds(2));
    }
}

DatabaseOptions pairs_database() {
    DatabaseOptions options = charges_database();
    options.schema.emplace_back("create sequence if not exists positions");
    return options;
}

std::string joined(std::vector<std::string> texts) {
    std::sort(texts.begin(), texts.end());
    std::string all;
    for (const std::string& text : texts)
        all += (all.empty() ? "" : ";") + text;
    return all;
}

// What must hold after a run, whatever struck.
void expect_consistent(Stage& stage, const std::string& when) {
    EXPECT_EQ(stage.query("pragma integrity_check"), "ok") << when;
    std::vector<std::string> durable = stage.texts(events::row_durable, 1);
    for (const std::string& lost : stage.texts(events::row_lost, 1)) {
        const auto found = std::find(durable.begin(), durable.end(), lost);
        ASSERT_NE(found, durable.end()) << when;
        durable.erase(found);
    }
    EXPECT_EQ(stage.query("select id from charges order by id"), joined(durable)) << when;
    EXPECT_EQ(stage.query("select substr(id, 1, 3) from charges group by 1 having count(*) <> 2"),
              "")
        << when << ": a transaction is torn";
    EXPECT_EQ(stage.query("select customer from charges group by customer having count(*) > 1"), "")
        << when << ": a number was given twice";
    for (const std::string& note : stage.notes) { // `c: 100 ok`
        const std::string rows = stage.query(
            "select count(*) from charges where substr(id, 1, 3) = '" + note.substr(3, 3) + "'");
        if (note.ends_with(" ok") && stage.count(events::row_lost) == 0) {
            EXPECT_EQ(rows, "2") << when << ": " << note;
        }
        if (note.find("failed") != std::string::npos) {
            EXPECT_EQ(rows, "0") << when << ": " << note;
        }
    }
}

struct Sweep {
    std::uint32_t strikes = 0;
    std::uint32_t kept_unanswered = 0; // an unknown commit that is there
    std::uint32_t lost_unanswered = 0;
};

Sweep sweep(sim::FaultKind kind, const char* point, const DatabaseOptions& options) {
    Sweep result;
    for (std::uint32_t nth = 1;; ++nth) {
        Stage stage(options, nth);
        stage.add_client("c", charges_in_pairs);
        stage.world.faults().add(disk_fault(kind, point, nth, stage.database.node()));
        stage.run(seconds(60));
        if (!stage.world.faults().records()[0].began) return result;
        ++result.strikes;
        EXPECT_EQ(stage.notes.size(), 10u);
        expect_consistent(stage, std::string(point) + " #" + std::to_string(nth));
        for (const std::string& note : stage.notes) {
            if (note.find("unknown") == std::string::npos) continue;
            const std::string id = note.substr(3, 3);
            const bool kept = stage.query("select 1 from charges where id = '" + id + "a'") == "1";
            ++(kept ? result.kept_unanswered : result.lost_unanswered);
        }
    }
}

// Each commit is a write into the log and a sync; besides, the log is synced when a server begins,
// and sequences reserve their numbers.
TEST(SimStore, SurvivesACrashInEveryDiskWrite) {
    const Sweep done = sweep(sim::FaultKind::crash, "disk.write", pairs_database());
    EXPECT_GE(done.strikes, 11u);
    EXPECT_GE(done.lost_unanswered, 10u);
    EXPECT_EQ(done.kept_unanswered, 0u) << "what is not in the log is not there";
}

TEST(SimStore, SurvivesACrashInEverySync) {
    const Sweep done = sweep(sim::FaultKind::crash, "disk.sync", pairs_database());
    EXPECT_GE(done.strikes, 11u);
    EXPECT_GE(done.kept_unanswered, 10u) << "the page cache outlives the process";
}

TEST(SimStore, SurvivesAPowerLossInEveryDiskWrite) {
    const Sweep done = sweep(sim::FaultKind::power_loss, "disk.write", pairs_database());
    EXPECT_GE(done.strikes, 11u);
    EXPECT_EQ(done.kept_unanswered, 0u);
}

TEST(SimStore, SurvivesAPowerLossInEverySync) {
    const Sweep done = sweep(sim::FaultKind::power_loss, "disk.sync", pairs_database());
    EXPECT_GE(done.strikes, 11u);
    EXPECT_GT(done.kept_unanswered, 0u) << "the platter may have got it all the same";
    EXPECT_GT(done.lost_unanswered, 0u);
}

// A log is written in order: what a loss of power takes is the end of it, as long as it may be.
TEST(SimStore, TakesCommitsBackThatWereAnsweredBeforeTheSync) {
    std::set<std::size_t> lost;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        DatabaseOptions options = pairs_database();
        options.synchronous = Synchronous::off;
        Stage stage(options, seed);
        stage.add_client("c", charges_in_pairs);
        stage.run(milliseconds(100));
        EXPECT_EQ(stage.count(events::row_durable), 20u);
        stage.database.node().lose_power();
        stage.run(milliseconds(100));
        stage.database.node().start();
        stage.run(milliseconds(100));
        const std::size_t struck = stage.count(events::row_lost);
        lost.insert(struck);
        EXPECT_EQ(stage.query("select count(*) from charges"), std::to_string(20 - struck));
        const std::string last = std::to_string(99 + (20 - struck) / 2) + "b";
        EXPECT_EQ(stage.query("select max(id) from charges"), struck == 20 ? "null" : last);
        expect_consistent(stage, "off");
    }
    EXPECT_EQ(lost.size(), 11u) << "none of the ten, one of them, ... all";
}

TEST(SimStore, KeepsCommitsThatWereFlushedInTheBackground) {
    DatabaseOptions options = pairs_database();
    options.synchronous = Synchronous::off;
    Stage stage(options);
    stage.add_client("c", charges_in_pairs);
    stage.run(milliseconds(400));
    stage.database.node().lose_power();
    stage.database.node().start();
    stage.run(milliseconds(100));
    EXPECT_EQ(stage.count(events::row_lost), 0u);
    EXPECT_EQ(stage.query("select count(*) from charges"), "20");
}

TEST(SimStore, SurvivesDeathsAtEveryPointAlsoWhenCommitsDoNotWait) {
    DatabaseOptions options = pairs_database();
    options.synchronous = Synchronous::off;
    EXPECT_GE(sweep(sim::FaultKind::power_loss, "disk.write", options).strikes, 11u);
    EXPECT_GE(sweep(sim::FaultKind::crash, "disk.write", options).strikes, 11u);
    EXPECT_GT(sweep(sim::FaultKind::power_loss, "disk.sync", options).strikes, 0u);
}

/// A process that takes numbers, and notes them.
struct Counting final : sim::Program {
    Counting(sim::Node& node, std::vector<std::int64_t>& taken) : access(node) {
        Sequences sequences(access, "db");
        (void)sequences.create("s");
        std::int64_t number = 0;
        while (taken.size() < 400 && sequences.next("s", number) == SequenceResult::done)
            taken.push_back(number);
    }

    DiskAccess access;
};

// A limit is torn by a loss of power in the middle of its write: from 224 to 256, in bytes.
TEST(SimStore, GivesNoNumberTwiceWhenALimitIsTorn) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        sim::World world(stage_world(seed));
        std::vector<std::int64_t> taken;
        sim::NodeOptions options;
        options.name = "n";
        options.entry = [&taken](sim::Node& node) {
            return std::make_unique<Counting>(node, taken);
        };
        sim::Node& node = world.add_node(std::move(options));
        world.faults().add(disk_fault(sim::FaultKind::power_loss, "disk.sync", 8, node));
        node.start();
        (void)world.run_until(Instant(seconds(5)));
        ASSERT_EQ(taken.size(), 400u);
        EXPECT_EQ(std::adjacent_find(taken.begin(), taken.end(), std::greater_equal<>()),
                  taken.end())
            << "seed " << seed;
    }
}

} // namespace

} // namespace crier::broker::test
