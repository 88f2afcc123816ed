#include "tests/messaging/relay_fixture.hpp"

#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

using fakes::RelayFixture;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

struct Fixture : RelayFixture {
    Fixture() {
        options.wake = RelayWake::notification;
        options.outbox.notify = true;
    }
    void tell() { notifications().told = true; }
};

TEST(RelayAlarm, ANotificationWakesTheRelay) {
    Fixture fixture;
    fixture.start();
    fixture.run(seconds(1));
    fixture.add("a1", "a");
    fixture.run(milliseconds(200));
    EXPECT_EQ(fixture.published, Names());
    fixture.tell();
    fixture.run(milliseconds(2));
    EXPECT_EQ(fixture.published, (Names{"a1"}));
}

TEST(RelayAlarm, TheWriterNotifiesInItsTransaction) {
    Fixture fixture;
    fixture.start();
    fixture.run(milliseconds(10));
    const Outbox outbox(fixture.options.outbox);
    const auto write = [](Store* store, const Outbox* to) -> asio::awaitable<bool> {
        Outcome<std::unique_ptr<Transaction>> begun = co_await store->begin();
        const std::unique_ptr<Transaction> transaction = std::move(*begun);
        std::vector<Message> messages(1);
        messages[0].id = "a1";
        const Outcome<void> written =
            co_await to->write(*transaction, std::move(messages), WallTime());
        const Outcome<void> committed = co_await transaction->commit();
        co_return written&& committed;
    };
    EXPECT_TRUE(fixture.await(write(&fixture.store, &outbox)));
    fixture.run(milliseconds(5));
    EXPECT_EQ(fixture.published, (Names{"a1"}));
}

TEST(RelayAlarm, LooksNowAndThenWithoutANotification) {
    Fixture fixture;
    fixture.start();
    fixture.run(seconds(1));
    fixture.add("a1", "a");
    fixture.run(seconds(5));
    EXPECT_EQ(fixture.published, (Names{"a1"}));
}

/// A row commits while the relay begins to listen.
Names commit_while_listening(Fixture& fixture) {
    fixture.options.fallback_poll = seconds(3600);
    fixture.start();
    fixture.notifications().before_listening = [&fixture] {
        fixture.add("a1", "a");
        fixture.tell();
    };
    fixture.run(seconds(60));
    return fixture.published;
}

TEST(RelayAlarm, ListensBeforeItReads) {
    Fixture right;
    EXPECT_EQ(commit_while_listening(right), (Names{"a1"}));
}

TEST(RelayAlarmMistake, ReadingFirstLosesTheWakeUpBetweenTheTwo) {
    Fixture wrong;
    wrong.options.listen = RelayListen::after_reading;
    EXPECT_EQ(commit_while_listening(wrong), Names());
    wrong.notifications().before_listening = nullptr;
    wrong.add("b1", "b");
    wrong.tell();
    wrong.run(seconds(1));
    EXPECT_EQ(wrong.published, (Names{"a1", "b1"})) << "other traffic wakes it";
}

TEST(RelayAlarm, ListensAgainWhenItsConnectionIsLost) {
    Fixture fixture;
    fixture.options.fallback_poll = seconds(3600);
    fixture.start();
    fixture.run(seconds(1));
    fixture.add("a1", "a");
    fixture.notifications().broken = true;
    fixture.run(milliseconds(200));
    EXPECT_EQ(fixture.notifications().listens, 2);
    EXPECT_EQ(fixture.published, (Names{"a1"})) << "nobody knows what was told meanwhile";
}

TEST(RelayAlarm, PollsWhileItCannotListen) {
    Fixture fixture;
    fixture.options.fallback_poll = seconds(3600);
    fixture.start();
    fixture.notifications().refuse = true;
    fixture.run(seconds(1));
    fixture.add("a1", "a");
    fixture.run(milliseconds(200));
    EXPECT_EQ(fixture.published, (Names{"a1"}));
}

TEST(RelayAlarm, ARowThatWaitsIsNotForgotten) {
    Fixture fixture;
    fixture.options.fallback_poll = seconds(3600);
    fixture.add("a1", "a");
    fixture.fail("a1", StoreError::unavailable);
    fixture.start();
    fixture.run(milliseconds(500));
    fixture.fault = nullptr;
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.published, (Names{"a1"}));
}

TEST(RelayAlarm, AStopEndsTheWait) {
    Fixture fixture;
    fixture.options.fallback_poll = seconds(3600);
    fixture.start();
    fixture.run(seconds(1));
    fixture.stop();
    EXPECT_FALSE(fixture.stopped);
    fixture.run(milliseconds(200));
    EXPECT_TRUE(fixture.stopped);
}

} // namespace
} // namespace crier::messaging
