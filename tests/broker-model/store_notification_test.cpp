#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store_stage.hpp"

// Notifications of a simulated database server under faults. What they are without any is shown by
// the stories that a real PostgreSQL tells, too.

namespace crier::broker::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

std::string at(Client& client, const std::string& what) {
    return what + " " + std::to_string(client.ports.now().time_since_epoch() / milliseconds(1));
}

/// Listens, and notes in tenths of a second when it hears something; after a loss it listens anew.
asio::awaitable<void> listens(Client& client) {
    for (;;) {
        Outcome<std::unique_ptr<Listener>> listener = co_await client.notifications.listen("c");
        if (!listener) {
            client.note(at(client, "no listener: " + told(listener)));
            co_await client.sleep(milliseconds(500));
            continue;
        }
        Outcome<bool> heard = false;
        while (heard) {
            heard = co_await (*listener)->wait(seconds(3));
            if (heard && *heard) client.note(at(client, "heard"));
        }
        client.note(at(client, told(heard)));
    }
}

/// Notifies at every full second.
asio::awaitable<void> notifies(Client& client) {
    for (;;) {
        co_await client.sleep(seconds(1));
        std::string sql = "select pg_notify('c', '')";
        std::vector<Value> none;
        (void)co_await client.store.execute(std::move(sql), std::move(none));
    }
}

asio::awaitable<void> notifies_in_transactions(Client& client) {
    for (const bool commits : {false, true}) {
        co_await client.sleep(seconds(1));
        auto transaction = co_await client.store.begin();
        for (int time = 0; time < 2; ++time) {
            std::string sql = "select pg_notify('c', '')";
            std::vector<Value> none;
            (void)co_await (*transaction)->execute(std::move(sql), std::move(none));
        }
        co_await client.sleep(seconds(1));
        if (commits) {
            (void)co_await (*transaction)->commit();
        } else {
            co_await (*transaction)->rollback();
        }
    }
}

/// Notes as `heard 1000`, rounded down to tenths of a second.
Notes rounded(const Notes& notes) {
    Notes rounded;
    for (const std::string& note : notes) {
        const std::size_t number = note.find_last_of(' ') + 1;
        const int time = std::stoi(note.substr(number)) / 100 * 100;
        rounded.push_back(note.substr(0, number) + std::to_string(time));
    }
    return rounded;
}

TEST(SimNotifications, AreToldAtTheCommitAndNotAtARollback) {
    Stage stage(charges_database());
    stage.add_client("l", listens);
    stage.add_client("n", notifies_in_transactions);
    stage.run(seconds(10));
    EXPECT_THAT(rounded(stage.notes), ElementsAre("l: heard 4000"));
}

TEST(SimNotifications, AreMissedWhileTheListenerIsDead) {
    Stage stage(charges_database());
    sim::Node& listener = stage.add_client("l", listens);
    stage.add_client("n", notifies);
    stage.run(milliseconds(1500));
    listener.crash("test");
    stage.run(seconds(2));
    listener.start();
    stage.run(seconds(1));
    EXPECT_THAT(rounded(stage.notes), ElementsAre("l: heard 1000", "l: heard 4000"));
}

TEST(SimNotifications, AReconnectedListenerHearsAgain) {
    Stage stage(charges_database());
    sim::Node& listener = stage.add_client("l", listens);
    stage.add_client("n", notifies);
    stage.run(milliseconds(1500));
    stage.world.network().reset(listener.id(), stage.database.node().id());
    stage.run(seconds(1));
    stage.database.node().crash("test");
    stage.run(milliseconds(100));
    stage.database.node().start();
    stage.run(seconds(1));
    // Each as often as it is connected: nobody is left from an earlier connection.
    EXPECT_THAT(rounded(stage.notes),
                ElementsAre("l: heard 1000", "l: failed connection_lost 1500", "l: heard 2000",
                            "l: failed connection_lost 2500",
                            "l: no listener: failed unavailable 2500", "l: heard 3000"));
}

// A reset while the server still has the end of the connection before: the new one stands.
TEST(SimNotifications, ManyResetsLeaveOneListener) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Stage stage(charges_database(), seed);
        sim::Node& listener = stage.add_client("l", listens);
        stage.add_client("n", notifies);
        stage.run(milliseconds(400));
        for (int time = 0; time < 100; ++time) {
            stage.world.network().reset(listener.id(), stage.database.node().id());
            stage.run(std::chrono::microseconds(400));
        }
        stage.run(milliseconds(500));
        stage.notes.clear();
        stage.run(seconds(1));
        EXPECT_THAT(rounded(stage.notes), ElementsAre("l: heard 1000")) << seed;
    }
}

TEST(SimNotifications, APartitionHoldsThemBack) {
    Stage stage(charges_database());
    sim::Node& listener = stage.add_client("l", listens);
    stage.add_client("n", notifies);
    sim::FaultSpec fault;
    fault.kind = sim::FaultKind::partition;
    fault.nodes = {listener.id()};
    fault.peers = {stage.database.node().id()};
    fault.trigger.at = Instant(milliseconds(500));
    fault.duration = seconds(2);
    fault.what = "cut";
    stage.world.faults().add(std::move(fault));
    stage.run(milliseconds(2400));
    EXPECT_THAT(stage.notes, ElementsAre());
    stage.run(milliseconds(500));
    EXPECT_THAT(rounded(stage.notes), testing::Contains(testing::StartsWith("l: heard 2")));
}

// Nobody tells it; it asks now and then.
TEST(SimNotifications, AListenerNoticesThatTheServersMachineIsGone) {
    Stage stage(charges_database());
    stage.add_client("l", listens);
    stage.run(seconds(100));
    stage.database.node().lose_power();
    stage.run(milliseconds(100));
    stage.database.node().start();
    stage.run(seconds(100));
    ASSERT_THAT(stage.notes, testing::SizeIs(1));
    const int lost = std::stoi(stage.notes[0].substr(stage.notes[0].find_last_of(' ')));
    EXPECT_GT(lost, 100'000);
    EXPECT_LE(lost, 160'000);
    stage.notes.clear();
    stage.add_client("n", notifies);
    stage.run(milliseconds(1500));
    EXPECT_THAT(stage.notes, testing::SizeIs(1)) << "it listens again";
}

TEST(SimNotifications, ADroppedOneIsNeverTold) {
    Stage stage(charges_database());
    stage.add_client("l", listens);
    sim::FaultSpec fault;
    fault.kind = sim::FaultKind::drop_request;
    fault.nodes = {stage.database.node().id()};
    fault.trigger.when = sim::FaultTrigger::When::call;
    fault.trigger.name = "sql-notification";
    fault.what = "drop";
    stage.world.faults().add(std::move(fault));
    stage.add_client("n", notifies);
    stage.run(milliseconds(2500));
    EXPECT_THAT(rounded(stage.notes), ElementsAre("l: heard 2000"));
}

TEST(SimNotifications, AListenerWhoseAnswerIsLostDoesNotListen) {
    Stage stage(charges_database());
    sim::FaultSpec fault;
    fault.kind = sim::FaultKind::lose_answer;
    fault.nodes = {stage.database.node().id()};
    fault.trigger.when = sim::FaultTrigger::When::call;
    fault.trigger.name = "sql-listen";
    fault.what = "lose";
    stage.world.faults().add(std::move(fault));
    stage.run(milliseconds(1));
    stage.add_client("l", listens);
    stage.add_client("n", notifies);
    stage.run(milliseconds(31'500));
    EXPECT_THAT(rounded(stage.notes),
                ElementsAre("l: no listener: failed connection_lost 30000", "l: heard 31000"));
}

} // namespace

} // namespace crier::broker::test
