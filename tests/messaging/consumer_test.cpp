#include "messaging/consumer.hpp"

#include "tests/messaging/consumer_fixture.hpp"

#include <gtest/gtest.h>

namespace crier::messaging {
namespace {

using fakes::ConsumerFixture;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

TEST(Consumer, DoesTheEffectAndSettles) {
    ConsumerFixture fixture;
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.subscription().settled, (Names{"m1"}));
    EXPECT_EQ(fixture.log(), (Names{"attempting m1 1", "done m1"}));
    EXPECT_EQ(fixture.points("consumer.received"), 1);
    EXPECT_EQ(fixture.points("consumer.effect-committed-not-settled"), 1);
    EXPECT_EQ(fixture.points("consumer.settled"), 1);
}

TEST(Consumer, TakesOneTransactionAndOneStatementOfItsOwnForAMessage) {
    ConsumerFixture fixture;
    fixture.start();
    fixture.run(milliseconds(10));
    fixture.store.statements.clear();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.store.begins, 1);
    EXPECT_EQ(fixture.store.statements.size(), 2U) << "the inbox's and the handler's";
}

TEST(Consumer, SettlesARedeliveryAsADuplicate) {
    ConsumerFixture fixture;
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.subscription().settled, (Names{"m1", "m1"}));
    EXPECT_EQ(fixture.log(), (Names{"attempting m1 1", "done m1", "duplicate m1"}));
}

TEST(Consumer, FindsADuplicateAfterARestart) {
    ConsumerFixture fixture;
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    fixture.crash();
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.log(), (Names{"duplicate m1"}));
}

TEST(Consumer, HandlesAMessageAgainThatItCrashedIn) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"hang"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    fixture.crash();
    EXPECT_EQ(fixture.effects(), Names());
    fixture.script.clear();
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
}

TEST(Consumer, ARetryBlocksItsKeyOnly) {
    ConsumerFixture fixture;
    fixture.script["a1"] = {{"retry"}, {"retry"}};
    fixture.start();
    for (const char* const id : {"a1", "a2"})
        fixture.subscription().push(id, "a");
    fixture.subscription().push("b1", "b");
    fixture.run(milliseconds(50));
    EXPECT_EQ(fixture.effects(), (Names{"b1"}));
    fixture.run(milliseconds(200));
    EXPECT_EQ(fixture.effects(), (Names{"b1"}));
    fixture.run(milliseconds(200));
    EXPECT_EQ(fixture.effects(), (Names{"b1", "a1", "a2"}));
}

TEST(Consumer, WaitingMessagesHoldNoWorker) {
    ConsumerFixture fixture;
    fixture.options.concurrency = 1;
    for (int poison = 0; poison < 5; ++poison) {
        fixture.script["p" + std::to_string(poison)] = {{"retry"}, {"retry"}, {"retry"}};
    }
    fixture.start();
    for (int poison = 0; poison < 5; ++poison) {
        fixture.subscription().push("p" + std::to_string(poison), "k" + std::to_string(poison));
    }
    fixture.subscription().push("healthy", "h");
    fixture.run(milliseconds(50));
    EXPECT_EQ(fixture.effects(), (Names{"healthy"}));
}

TEST(Consumer, RunsDifferentKeysAtOnceUpToItsConcurrency) {
    ConsumerFixture fixture;
    fixture.options.concurrency = 3;
    fixture.script["m0"] = {{"hang"}};
    fixture.start();
    for (int key = 0; key < 5; ++key) {
        fixture.subscription().push("m" + std::to_string(key), std::to_string(key));
    }
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.store.begins, 3) << "the fake store lets them wait for its one connection";
}

TEST(Consumer, AttemptsSurviveARestart) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"retry"}, {"retry"}, {"retry"}, {"retry"}, {"retry"}, {"retry"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(milliseconds(350));
    EXPECT_EQ(fixture.log().back(), "failed m1 3");
    fixture.crash();
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(5));
    EXPECT_EQ(fixture.log(), (Names{"attempting m1 4", "failed m1 4", "attempting m1 5",
                                    "failed m1 5", "parked m1"}));
}

TEST(Consumer, AnUnknownCommitThatHappenedIsNotRepeated) {
    ConsumerFixture fixture;
    fixture.fail_once("commit", {StoreError::connection_lost, Certainty::unknown});
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.subscription().settled, (Names{"m1"}));
    EXPECT_EQ(fixture.log(), (Names{"attempting m1 1", "duplicate m1"}));
}

TEST(Consumer, AnUnknownCommitThatDidNotHappenIsRepeated) {
    ConsumerFixture fixture;
    fixture.store.unknown_commits_happen = false;
    fixture.fail_once("commit", {StoreError::connection_lost, Certainty::unknown});
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.subscription().settled, (Names{"m1"}));
    EXPECT_EQ(fixture.log(), (Names{"attempting m1 1", "attempting m1 1", "done m1"}));
}

TEST(Consumer, AFailedCommitCountsAsNoAttempt) {
    ConsumerFixture fixture;
    fixture.fail_once("commit", {StoreError::serialization_failure, Certainty::failed});
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.log(), (Names{"attempting m1 1", "attempting m1 1", "done m1"}));
}

TEST(Consumer, AStatementThatTheDataAreToBlameForCountsAsAnAttempt) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"violation"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.log(),
              (Names{"attempting m1 1", "failed m1 1", "attempting m1 2", "done m1"}));
}

TEST(Consumer, WaitsForAStoreThatIsDown) {
    ConsumerFixture fixture;
    bool down = true;
    fixture.store.fault = [&down](const std::string&) {
        return down ? std::optional(Failure{StoreError::unavailable, Certainty::failed})
                    : std::nullopt;
    };
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(60));
    EXPECT_TRUE(fixture.log().empty());
    EXPECT_TRUE(fixture.subscription().settled.empty());
    down = false;
    fixture.run(seconds(60));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
}

TEST(Consumer, RecordsAFailedAttemptBeforeTheNextOne) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"retry"}, {"hang"}};
    fixture.fail_once("insert into inbox_attempts", {StoreError::unavailable});
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.log().back(), "attempting m1 2");
    fixture.crash();
    EXPECT_EQ(fixture.store.count("select coalesce(sum(attempts), 0) from inbox_attempts"), 1);
}

TEST(Consumer, DiscardsWithoutEffectAndOnce) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"discard"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), Names());
    EXPECT_EQ(fixture.log(), (Names{"attempting m1 1", "discarded m1", "duplicate m1"}));
    EXPECT_EQ(fixture.subscription().settled, (Names{"m1", "m1"}));
}

TEST(Consumer, HoldsLanesWhileTooMuchIsOpenAndGoesOnReceiving) {
    ConsumerFixture fixture;
    fixture.options.prefetch = 4;
    fixture.script["m0"] = {{"retry"}};
    fixture.start();
    for (int message = 0; message < 6; ++message) {
        fixture.subscription().push("m" + std::to_string(message), "a");
    }
    fixture.run(milliseconds(50));
    EXPECT_EQ(fixture.subscription().held.count(1), 1U);
    const int receives = fixture.subscription().receives;
    fixture.run(milliseconds(350));
    EXPECT_GT(fixture.subscription().receives, receives);
    EXPECT_TRUE(fixture.subscription().held.empty());
    EXPECT_EQ(fixture.effects().size(), 6U);
}

TEST(Consumer, StopsWhenWorkInFlightIsFinished) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"slow"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m2", "a");
    fixture.run(milliseconds(150));
    fixture.stop(seconds(30));
    fixture.run(milliseconds(500));
    EXPECT_FALSE(fixture.stopped);
    fixture.run(seconds(1));
    EXPECT_TRUE(fixture.stopped);
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_EQ(fixture.subscription().flushed, 1U);
    EXPECT_TRUE(fixture.subscription().closed);
}

TEST(Consumer, AbandonsWorkInFlightAfterTheGrace) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"slow"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(milliseconds(150));
    fixture.stop(milliseconds(200));
    fixture.run(milliseconds(400));
    EXPECT_TRUE(fixture.stopped);
    fixture.run(seconds(5));
    EXPECT_EQ(fixture.effects(), Names());
    EXPECT_TRUE(fixture.subscription().settled.empty());
}

TEST(Consumer, FinishesWhatRunsInARevokedLaneAndDropsTheRest) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"slow"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m2", "a");
    fixture.subscription().push("n1", "a", "", 2);
    fixture.run(milliseconds(150));
    fixture.revoke({1});
    fixture.run(milliseconds(100));
    EXPECT_FALSE(fixture.revoked);
    fixture.run(seconds(2));
    EXPECT_TRUE(fixture.revoked);
    EXPECT_EQ(fixture.effects(), (Names{"m1", "n1"}));
    EXPECT_EQ(fixture.consumer().open(), 0U);
}

TEST(Consumer, RollsBackWhatOutlastsTheGraceOfARevocation) {
    ConsumerFixture fixture;
    fixture.options.revoke_grace = milliseconds(200);
    fixture.script["m1"] = {{"slow"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("n1", "a", "", 2);
    fixture.run(milliseconds(150));
    fixture.revoke({1});
    fixture.run(milliseconds(250));
    EXPECT_TRUE(fixture.revoked);
    fixture.run(seconds(2));
    EXPECT_EQ(fixture.effects(), (Names{"n1"}));
    EXPECT_EQ(fixture.subscription().settled, (Names{"n1"}));
}

TEST(Consumer, BeginsNoFurtherAttemptInARevokedLane) {
    ConsumerFixture fixture;
    fixture.options.deduplicate = Deduplicate::none;
    fixture.options.retry.backoff = milliseconds(10);
    fixture.script["m1"] = {{"slow-retry"}, {"retry"}};
    fixture.script["n1"] = {{"slow"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("n1", "a", "", 2);
    fixture.run(milliseconds(150));
    fixture.revoke({1, 2});
    fixture.run(seconds(5));
    EXPECT_TRUE(fixture.revoked);
    EXPECT_EQ(fixture.log(),
              (Names{"attempting m1 1", "failed m1 1", "attempting n1 1", "done n1"}));
}

TEST(Consumer, CommitsNothingOfALostLane) {
    ConsumerFixture fixture;
    fixture.script["m1"] = {{"slow"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m2", "a");
    fixture.run(milliseconds(150));
    fixture.lose({1});
    fixture.run(seconds(5));
    EXPECT_EQ(fixture.effects(), Names());
    EXPECT_TRUE(fixture.subscription().settled.empty());
    EXPECT_EQ(fixture.consumer().open(), 0U);
}

TEST(ConsumerOptions, NamesEveryProblem) {
    ConsumerOptions options;
    options.name = "billing";
    EXPECT_TRUE(options.validate().empty());
    options.name.clear();
    options.concurrency = 0;
    options.retry.attempts = 0;
    EXPECT_EQ(options.validate().size(), 3U);
}

} // namespace
} // namespace crier::messaging
