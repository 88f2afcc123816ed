#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store_stage.hpp"

#include <algorithm>

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
        std::string sql = "insert into charges (id, customer, amount) values ($1, 'y', 1)";
        std::vector<Value> values = parameters(std::to_string(count));
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
        Stage stage(options);
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

TEST(SimStore, SurvivesACrashInEveryDiskWrite) {
    const Sweep done = sweep(sim::FaultKind::crash, "disk.write", pairs_database());
    EXPECT_GT(done.strikes, 40u);
    EXPECT_GT(done.lost_unanswered, 40u);
    EXPECT_EQ(done.kept_unanswered, 0u) << "what is not wholly in the log is not there";
}

TEST(SimStore, SurvivesACrashInEverySync) {
    const Sweep done = sweep(sim::FaultKind::crash, "disk.sync", pairs_database());
    EXPECT_GT(done.strikes, 10u);
    EXPECT_GE(done.kept_unanswered, 10u) << "the page cache outlives the process";
}

TEST(SimStore, SurvivesAPowerLossInEveryDiskWrite) {
    const Sweep done = sweep(sim::FaultKind::power_loss, "disk.write", pairs_database());
    EXPECT_GT(done.strikes, 40u);
    EXPECT_EQ(done.kept_unanswered, 0u);
}

TEST(SimStore, SurvivesAPowerLossInEverySync) {
    const Sweep done = sweep(sim::FaultKind::power_loss, "disk.sync", pairs_database());
    EXPECT_GT(done.strikes, 10u);
    EXPECT_EQ(done.kept_unanswered, 0u) << "the page cache is gone with the power";
}

// Rows so large that the log is folded into the file again and again.
asio::awaitable<void> charges_at_length(Client& client) {
    co_await client.sleep(milliseconds(1));
    for (int number = 100; number < 160; ++number) {
        const std::string id = std::to_string(number);
        std::string sql = "insert into charges values ($1, $2, 1), ($3, $4, 1)";
        const std::string filler(30'000, 'x');
        std::vector<Value> values =
            parameters(id + "a", id + "a" + filler, id + "b", id + "b" + filler);
        const Outcome<Rows> result =
            co_await client.store.execute(std::move(sql), std::move(values));
        client.note(id + " " + told(result));
        if (!result) co_await client.sleep(seconds(2));
    }
}

TEST(SimStore, SurvivesDeathsWhileTheLogIsFolded) {
    for (const sim::FaultKind kind : {sim::FaultKind::crash, sim::FaultKind::power_loss}) {
        const auto strike = [kind](const char* point, std::uint32_t nth) {
            Stage stage(charges_database());
            stage.add_client("c", charges_at_length);
            stage.world.faults().add(disk_fault(kind, point, nth, stage.database.node()));
            stage.run(seconds(200));
            const bool began = stage.world.faults().records()[0].began;
            if (began) expect_consistent(stage, std::string(point) + " #" + std::to_string(nth));
            return began;
        };
        for (std::uint32_t nth = 3; nth < 60; nth += 7)
            EXPECT_TRUE(strike("disk.sync", nth));
        // Some 256 pages are 512 writes into the log, and then comes the fold.
        for (std::uint32_t nth = 490; nth < 900; nth += 67)
            EXPECT_TRUE(strike("disk.write", nth));
    }
}

TEST(SimStore, TakesCommitsBackThatWereAnsweredBeforeTheSync) {
    DatabaseOptions options = pairs_database();
    options.synchronous = Synchronous::off;
    Stage stage(options);
    stage.add_client("c", charges_in_pairs);
    stage.run(milliseconds(100));
    EXPECT_EQ(stage.count(events::row_durable), 20u);
    stage.database.node().lose_power();
    EXPECT_EQ(stage.query("select count(*) from charges"), "0");
    stage.run(milliseconds(100));
    stage.database.node().start();
    stage.run(milliseconds(100));
    EXPECT_EQ(stage.count(events::row_lost), 20u);
    expect_consistent(stage, "off");
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
    EXPECT_GT(sweep(sim::FaultKind::power_loss, "disk.write", options).strikes, 40u);
    EXPECT_GT(sweep(sim::FaultKind::crash, "disk.write", options).strikes, 40u);
    EXPECT_GT(sweep(sim::FaultKind::power_loss, "disk.sync", options).strikes, 0u);
}

asio::awaitable<void> charges_late(Client& client) {
    co_await client.sleep(seconds(4));
    const std::string result = co_await charge(client, "900", "x", 1);
    client.note(result);
}

// The log is folded and begun again before the power goes: what was folded is kept, the rest
// struck.
TEST(SimStore, StrikesOnlyWhatIsGoneAfterTheLogWasFolded) {
    DatabaseOptions options = charges_database();
    options.synchronous = Synchronous::off;
    options.flush_interval = seconds(1000);
    Stage stage(options);
    stage.add_client("c", charges_at_length);
    stage.add_client("late", charges_late);
    stage.run(seconds(5));
    EXPECT_EQ(stage.count(events::row_durable), 121u);
    stage.database.node().lose_power();
    stage.database.node().start();
    stage.run(milliseconds(1));
    EXPECT_GT(stage.count(events::row_lost), 0u);
    EXPECT_LT(stage.count(events::row_lost), 121u);
    EXPECT_EQ(stage.query("pragma integrity_check"), "ok");
    const std::size_t kept = 121 - stage.count(events::row_lost);
    EXPECT_EQ(stage.query("select count(*) from charges"), std::to_string(kept));
    EXPECT_EQ(stage.texts(events::row_lost, 1).back(), "900");
}

} // namespace

} // namespace crier::broker::test
