#include "tests/messaging/consumer_fixture.hpp"

#include <gtest/gtest.h>

// Effects that cannot commit with their inbox row: a marker says who works on a message.

namespace crier::messaging {
namespace {

using fakes::ConsumerFixture;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

struct Fixture : ConsumerFixture {
    Fixture() { options.inbox_transaction = InboxTransaction::marker; }
    [[nodiscard]] std::string status(const std::string& id) {
        const Rows rows = store.ask("select status from inbox where id = '" + id + "'");
        return rows.empty() ? "" : std::get<std::string>(rows[0][0]);
    }
};

TEST(InboxMarker, IsWrittenBeforeTheEffectAndCompletedAfterIt) {
    Fixture fixture;
    fixture.script["m1"] = {{"slow"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(milliseconds(500));
    EXPECT_EQ(fixture.status("m1"), "working");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.status("m1"), "done");
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.points("consumer.effect-committed-not-recorded"), 1);
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.log().back(), "duplicate m1");
}

TEST(InboxMarker, ACopyWaitsForTheFirstAndIsADuplicateThen) {
    Fixture fixture;
    fixture.options.order = Order::none;
    fixture.options.retry.backoff_max = milliseconds(200);
    fixture.script["m1"] = {{"slow"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m1", "a");
    fixture.run(milliseconds(900));
    EXPECT_TRUE(fixture.subscription().settled.empty());
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.subscription().settled, (Names{"m1", "m1"}));
}

/// Crashes in the handler; the broker delivers again at once, or after `delay`.
Names crash_and_redeliver(Fixture& fixture, Duration delay = {}) {
    fixture.script["m1"] = {{"hang"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    fixture.crash();
    fixture.start();
    fixture.run(seconds(1) + delay);
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(60));
    EXPECT_EQ(fixture.subscription().settled, (Names{"m1"}));
    return fixture.effects();
}

TEST(InboxMarker, ExpiresAndIsTakenOver) {
    Fixture fixture;
    EXPECT_EQ(crash_and_redeliver(fixture), (Names{"m1"}));
    EXPECT_EQ(fixture.status("m1"), "done");
}

TEST(InboxMarkerMistake, TakenForDoneLosesTheMessageThatComesBackTooSoon) {
    Fixture soon;
    soon.options.marker_hit = MarkerHit::taken_for_done;
    EXPECT_EQ(crash_and_redeliver(soon), Names());
    Fixture late;
    late.options.marker_hit = MarkerHit::taken_for_done;
    EXPECT_EQ(crash_and_redeliver(late, seconds(40)), (Names{"m1"}));
}

TEST(InboxMarkerMistake, AStateThatNobodyRecoversLosesTheMessageWheneverItComesBack) {
    Fixture fixture;
    fixture.options.marker_hit = MarkerHit::never_expires;
    EXPECT_EQ(crash_and_redeliver(fixture, seconds(3600)), Names());
    EXPECT_EQ(fixture.status("m1"), "working");
}

TEST(InboxMarker, IsRemovedAfterAFailedAttempt) {
    Fixture fixture;
    fixture.script["m1"] = {{"retry"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(milliseconds(50));
    EXPECT_EQ(fixture.status("m1"), "");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.store.count("select attempts from inbox_attempts"), 1);
}

TEST(InboxMarker, ParksAndDiscardsAsAnInboxDoes) {
    Fixture fixture;
    fixture.script["m1"] = std::deque<std::string>(5, "retry");
    fixture.script["m2"] = {{"discard"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m2", "b");
    fixture.run(seconds(30));
    EXPECT_EQ(fixture.status("m1"), "parked");
    EXPECT_EQ(fixture.status("m2"), "discarded");
    EXPECT_EQ(fixture.dead_letters.size(), 1U);
    EXPECT_EQ(fixture.effects(), Names());
}

TEST(InboxMarker, CompletesLaterWhatItCouldNotCompleteAtOnce) {
    Fixture fixture;
    fixture.fail_once("insert into inbox as known (consumer, id, recorded_at, status, attempts) ",
                      {StoreError::unavailable, Certainty::failed});
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.status("m1"), "done");
    EXPECT_EQ(fixture.subscription().settled, (Names{"m1"}));
}

TEST(InboxMarker, IsRenewedByItsOwnerAfterAnUnknownCommit) {
    Fixture fixture;
    fixture.store.unknown_commits_happen = false;
    fixture.fail_once("commit", {StoreError::connection_lost, Certainty::unknown});
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"})) << "its own marker does not lock it out";
}

/// Two copies at once.
Names handle_twice_at_once(ConsumerFixture& fixture) {
    fixture.options.order = Order::none;
    fixture.script["m1"] = {{"slow"}, {"slow"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(10));
    return fixture.effects();
}

TEST(ConsumerMistake, LookingFirstAndWritingAfterwardsLetsTwoCopiesThrough) {
    ConsumerFixture right;
    EXPECT_EQ(handle_twice_at_once(right), (Names{"m1"}));
    ConsumerFixture wrong;
    wrong.options.inbox_transaction = InboxTransaction::after;
    // The store is serial, so the second looks between the first one's two commits.
    wrong.fail_once("insert into inbox as known (consumer, id, recorded_at, status, attempts) ",
                    {StoreError::unavailable, Certainty::failed});
    EXPECT_EQ(handle_twice_at_once(wrong), (Names{"m1", "m1"}));
    wrong.subscription().push("m1", "a");
    wrong.run(seconds(10));
    EXPECT_EQ(wrong.effects().size(), 2U) << "a later copy is a duplicate";
}

TEST(InboxRetention, ForgetsWhatIsOlderThanPromisedAndNothingElse) {
    ConsumerFixture fixture;
    fixture.options.inbox_retention = seconds(120);
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(119));
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    fixture.run(seconds(120));
    EXPECT_EQ(fixture.store.count("select count(*) from inbox"), 0);
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1", "m1"})) << "nothing was promised of so late a copy";
}

TEST(InboxRetention, IsLongerThanAMessageIsAtWork) {
    ConsumerOptions options;
    options.name = "billing";
    options.inbox_retention = seconds(30);
    EXPECT_EQ(options.validate().size(), 1U);
    options.inbox_retention = seconds(31);
    EXPECT_TRUE(options.validate().empty());
}

} // namespace
} // namespace crier::messaging
