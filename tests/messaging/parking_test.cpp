#include "messaging/dead_letters.hpp"
#include "tests/messaging/consumer_fixture.hpp"

#include <gtest/gtest.h>

// What becomes of messages that fail for good, in the correct configuration.

namespace crier::messaging {
namespace {

using fakes::ConsumerFixture;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

std::optional<Failure> refuse(const Message&) {
    return Failure{StoreError::unavailable, Certainty::failed};
}

std::string letter_id(const Message& letter) {
    return std::string(find_header(letter.headers, dead_letter_id_header));
}

TEST(DeadLetter, IsTheMessageWithReasons) {
    Delivery delivery;
    delivery.message = {"m1", "a", "body", {{"trace", "t"}}};
    delivery.origin = "orders/3@42";
    const Message letter = dead_letter(delivery, {"d1", 5, "no such customer"}, "billing");
    EXPECT_EQ(letter, (Message{"m1",
                               "a",
                               "body",
                               {{"trace", "t"},
                                {"dead-letter-id", "d1"},
                                {"dead-letter-attempts", "5"},
                                {"dead-letter-reason", "no such customer"},
                                {"dead-letter-origin", "orders/3@42"},
                                {"dead-letter-service", "billing"}}}));
}

TEST(Parking, FollowsTheLastAttempt) {
    ConsumerFixture fixture;
    fixture.options.retry.attempts = 2;
    fixture.script["m1"] = {{"retry"}, {"retry"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m2", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.log(), (Names{"attempting m1 1", "failed m1 1", "attempting m1 2",
                                    "failed m1 2", "parked m1", "attempting m2 1", "done m2"}));
    ASSERT_EQ(fixture.dead_letters.size(), 1U);
    EXPECT_EQ(find_header(fixture.dead_letters[0].headers, dead_letter_attempts_header), "2");
    EXPECT_EQ(find_header(fixture.dead_letters[0].headers, dead_letter_reason_header), "not yet");
    EXPECT_EQ(fixture.subscription().settled, (Names{"m1", "m2"}));
    EXPECT_EQ(fixture.effects(), (Names{"m2"}));
    for (const char* const point : {"consumer.parking-decided", "consumer.parked-not-settled"}) {
        EXPECT_EQ(fixture.points(point), 1) << point;
    }
}

TEST(Parking, ComesAtOnceWhenTheHandlerAsksForIt) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"park"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(milliseconds(50));
    EXPECT_EQ(fixture.log(), (Names{"attempting m1 1", "failed m1 1", "parked m1"}));
    EXPECT_TRUE(find_header(fixture.dead_letters[0].headers, dead_letter_reason_header)
                    .starts_with(not_retryable));
}

TEST(Parking, GoesOnUntilTheBrokerConfirms) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"park"}};
    fixture.dead_letter_fault = refuse;
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m2", "a");
    fixture.subscription().push("n1", "b");
    fixture.run(std::chrono::minutes(10));
    EXPECT_TRUE(fixture.dead_letters.empty());
    EXPECT_EQ(fixture.subscription().settled, (Names{"n1"}));
    fixture.dead_letter_fault = nullptr;
    fixture.run(seconds(31));
    ASSERT_EQ(fixture.dead_letters.size(), 1U);
    EXPECT_EQ(fixture.subscription().settled, (Names{"n1", "m1", "m2"}));
}

TEST(Parking, IsResumedUnderTheSameIdByTheNextOwner) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"park"}};
    fixture.dead_letter_fault = [](const Message&) {
        return std::optional(Failure{StoreError::connection_lost, Certainty::unknown});
    };
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(milliseconds(50));
    ASSERT_EQ(fixture.dead_letters.size(), 1U);
    fixture.crash();
    fixture.dead_letter_fault = nullptr;
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    ASSERT_EQ(fixture.dead_letters.size(), 2U);
    EXPECT_EQ(fixture.dead_letters[0], fixture.dead_letters[1]);
    EXPECT_FALSE(letter_id(fixture.dead_letters[0]).empty());
    EXPECT_EQ(fixture.log(), (Names{"parked m1"})) << "no further attempt";
    EXPECT_EQ(fixture.effects(), Names());
}

TEST(Parking, SurvivesALostAnswerToTheDecision) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"park"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    int inserts = 0;
    fixture.store.fault = [&inserts](const std::string& sql) -> std::optional<Failure> {
        // The first is the attempt's, the second the decision.
        if (!sql.starts_with("insert into inbox ") || ++inserts != 2) return std::nullopt;
        return Failure{StoreError::connection_lost, Certainty::unknown};
    };
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.log(), (Names{"attempting m1 1", "failed m1 1", "parked m1"}));
    EXPECT_EQ(fixture.dead_letters.size(), 1U);
    EXPECT_EQ(fixture.store.count("select count(*) from inbox where status = 'parked'"), 1);
}

TEST(Parking, YieldsToAnEffectOfAnotherOwner) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"park"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.observer().on_point = [&fixture](std::string_view point) {
        if (point != "consumer.attempt-failed") return;
        fixture.store.ask("insert into inbox (consumer, id, status, attempts, recorded_at)"
                          " values ('billing', 'm1', 'done', 0, 0)");
    };
    fixture.run(seconds(1));
    EXPECT_TRUE(fixture.dead_letters.empty());
    EXPECT_EQ(fixture.log().back(), "duplicate m1");
}

TEST(Parking, IsFinishedOnceWhenTheMarkFails) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"park"}};
    fixture.fail_once("update inbox", {StoreError::connection_lost, Certainty::unknown});
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.dead_letters.size(), 1U);
    EXPECT_EQ(fixture.subscription().settled, (Names{"m1"}));
}

TEST(Parking, DoesNotHappenWithoutAChannel) {
    ConsumerFixture fixture;
    fixture.options.dead_letter_channel.clear();
    fixture.options.retry.attempts = 1;
    fixture.script["m1"] = {{"retry"}, {"park"}, {"retry"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.log().back(), "done m1");
}

TEST(Inbox, NeverLowersTheAttempts) {
    fakes::FakeStore store;
    fakes::Process process;
    store.create(inbox_schema());
    const Inbox inbox("inbox", "billing");
    for (const int attempts : {2, 3, 1}) {
        Statement record = inbox.record("m1", attempts, WallTime());
        await(process, store.execute(record.sql, record.parameters));
    }
    EXPECT_EQ(store.count("select attempts from inbox_attempts"), 3);
}

TEST(Inbox, PrunesOnlyWhatIsFinishedAndOld) {
    fakes::FakeStore store;
    fakes::Process process;
    store.create(inbox_schema());
    store.ask("insert into inbox"
              " (consumer, id, status, attempts, dead_letter_id, reason, recorded_at)"
              " values ('billing', 'old', 'done', 0, null, null, 10),"
              " ('billing', 'new', 'done', 0, null, null, 90),"
              " ('billing', 'open', 'parking', 5, 'd', 'r', 10),"
              " ('other', 'old', 'done', 0, null, null, 10)");
    store.ask("insert into inbox_attempts values ('billing', 'old', 2, 10),"
              " ('billing', 'trying', 2, 10), ('billing', 'open', 4, 10)");
    const Inbox inbox("inbox", "billing");
    for (Statement& statement : inbox.prune(WallTime(milliseconds(50)))) {
        await(process, store.execute(statement.sql, statement.parameters));
    }
    EXPECT_EQ(store.count("select count(*) from inbox"), 3);
    EXPECT_EQ(store.count("select count(*) from inbox_attempts"), 2);
}

} // namespace
} // namespace crier::messaging
