#include "tests/messaging/consumer_fixture.hpp"

#include <gtest/gtest.h>

// Each wrong option has to show its mistake, and the right one next to it must not.

namespace crier::messaging {
namespace {

using fakes::ConsumerFixture;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

/// Crashes in the handler and lets the broker deliver again what was not settled.
Names crash_and_redeliver(ConsumerFixture& fixture) {
    fixture.script["m1"] = {{"hang"}};
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    const bool told = fixture.subscription().flushed > 0;
    fixture.crash();
    fixture.start();
    if (!told) fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    return fixture.effects();
}

TEST(ConsumerMistake, SettlingBeforeTheEffectLosesIt) {
    ConsumerFixture right;
    EXPECT_EQ(crash_and_redeliver(right), (Names{"m1"}));
    ConsumerFixture wrong;
    wrong.options.acknowledge = Acknowledge::before_effect;
    EXPECT_EQ(crash_and_redeliver(wrong), Names());
}

TEST(ConsumerMistake, AnInboxTransactionOfItsOwnLosesTheEffect) {
    ConsumerFixture wrong;
    wrong.options.inbox_transaction = InboxTransaction::own;
    EXPECT_EQ(crash_and_redeliver(wrong), Names());
    EXPECT_EQ(wrong.log(), (Names{"duplicate m1"}));
}

TEST(ConsumerMistake, AutomaticNeverSettles) {
    ConsumerFixture fixture;
    fixture.options.acknowledge = Acknowledge::automatic;
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    EXPECT_EQ(fixture.effects(), (Names{"m1"}));
    EXPECT_TRUE(fixture.subscription().settled.empty());
}

/// Delivers twice with a restart in between.
Names deliver_again_after_restart(ConsumerFixture& fixture) {
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    fixture.crash();
    fixture.start();
    fixture.subscription().push("m1", "a");
    fixture.run(seconds(1));
    return fixture.effects();
}

TEST(ConsumerMistake, MemoryForgetsAtARestart) {
    ConsumerFixture right;
    EXPECT_EQ(deliver_again_after_restart(right), (Names{"m1"}));
    ConsumerFixture wrong;
    wrong.options.deduplicate = Deduplicate::memory;
    EXPECT_EQ(deliver_again_after_restart(wrong), (Names{"m1", "m1"}));
}

TEST(ConsumerMistake, NoDeduplicationRepeatsEveryEffect) {
    ConsumerFixture wrong;
    wrong.options.deduplicate = Deduplicate::none;
    EXPECT_EQ(deliver_again_after_restart(wrong), (Names{"m1", "m1", "m1"}));
}

TEST(ConsumerMistake, AForgottenDeadLetterIsLost) {
    ConsumerFixture wrong;
    wrong.options.dead_letter_publish = DeadLetterPublish::forgotten;
    wrong.dead_letter_fault = [](const Message&) {
        return Failure{StoreError::unavailable, Certainty::failed};
    };
    wrong.script["m1"] = {{"park"}};
    wrong.start();
    wrong.subscription().push("m1", "a");
    wrong.run(seconds(60));
    EXPECT_EQ(wrong.subscription().settled, (Names{"m1"}));
    EXPECT_TRUE(wrong.dead_letters.empty());
}

TEST(ConsumerMistake, WithoutOrderALaterMessageOvertakesARetry) {
    ConsumerFixture wrong;
    wrong.options.order = Order::none;
    wrong.script["a1"] = {{"retry"}};
    wrong.start();
    wrong.subscription().push("a1", "a");
    wrong.subscription().push("a2", "a");
    wrong.run(seconds(1));
    EXPECT_EQ(wrong.effects(), (Names{"a2", "a1"}));
}

TEST(ConsumerMistake, AttemptsInMemoryStartAgainAfterARestart) {
    ConsumerFixture wrong;
    wrong.options.deduplicate = Deduplicate::none;
    wrong.script["m1"] = std::deque<std::string>(20, "retry");
    wrong.start();
    wrong.subscription().push("m1", "a");
    wrong.run(milliseconds(350));
    EXPECT_EQ(wrong.log().back(), "failed m1 3");
    wrong.crash();
    wrong.start();
    wrong.subscription().push("m1", "a");
    wrong.run(milliseconds(50));
    EXPECT_EQ(wrong.log().back(), "failed m1 1");
}

TEST(ConsumerMistake, WithoutAnInboxEachParkingHasANewId) {
    ConsumerFixture wrong;
    wrong.options.deduplicate = Deduplicate::none;
    wrong.script["m1"] = {{"park"}, {"park"}};
    wrong.start();
    wrong.subscription().push("m1", "a");
    wrong.subscription().push("m1", "a");
    wrong.run(seconds(1));
    ASSERT_EQ(wrong.dead_letters.size(), 2U);
    EXPECT_NE(wrong.dead_letters[0].headers, wrong.dead_letters[1].headers);
}

} // namespace
} // namespace crier::messaging
