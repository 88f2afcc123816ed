#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(AttemptsExact, HoldsAfterExactlyTheServicesAttempts) {
    HistoryBuilder run;
    for (std::uint64_t i = 1; i <= 3; ++i)
        run.try_in_vain(billing_1, "o-1", i);
    run.park("o-1", "letter-1");
    run.park("o-1", "letter-1"); // the same letter again
    const Verdict verdict = run.judge("attempts-exact");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 1u);
    EXPECT_EQ(HistoryBuilder().judge("attempts-exact").kind, VerdictKind::vacuous);
}

TEST(AttemptsExact, FindsTooFew) {
    HistoryBuilder run;
    run.try_in_vain(billing_1, "o-1", 1);
    run.crash(billing_1);
    run.try_in_vain(billing_2, "o-1", 2);
    const auto parked = run.park("o-1", "letter-1");
    const Verdict verdict = run.judge("attempts-exact");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "o-1 was parked for billing at 0.006 s after 2 failed attempts, and "
                               "the service makes 3.");
    EXPECT_EQ(verdict.events.back(), parked);
}

TEST(AttemptsExact, LetsAHandlerParkAtOnceByDecision) {
    HistoryBuilder run;
    run.try_in_vain(billing_1, "o-1", 1, "not retryable: no such customer");
    run.park("o-1", "letter-1");
    EXPECT_EQ(run.judge("attempts-exact").kind, VerdictKind::holds);
    run.try_in_vain(billing_1, "o-2", 1, "timeout");
    run.park("o-2", "letter-2");
    const Verdict verdict = run.judge("attempts-exact");
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_THAT(verdict.subjects, ElementsAre(run.name("o-2")));
}

TEST(AttemptsExact, FindsTooManyWithoutAnInterruption) {
    HistoryBuilder run;
    for (std::uint64_t i = 1; i <= 4; ++i)
        run.try_in_vain(billing_1, "o-1", i);
    run.crash(billing_2); // hits others
    run.park("o-1", "letter-1");
    EXPECT_EQ(run.judge("attempts-exact").kind, VerdictKind::violated);
}

TEST(AttemptsExact, AllowsOneUncountedAttemptPerInterruption) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.try_in_vain(billing_1, "o-1", 1);
    run.try_in_vain(billing_1, "o-1", 2);
    run.crash(billing_1);
    run.try_in_vain(billing_2, "o-1", 2);
    run.revoke(billing_2, "orders/0");
    run.try_in_vain(billing_3, "o-1", 2);
    run.try_in_vain(billing_3, "o-1", 3);
    run.park("o-1", "letter-1");
    EXPECT_EQ(run.judge("attempts-exact").kind, VerdictKind::holds);
}

TEST(AttemptsExact, FindsACountThatDidNotSurviveACrash) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.revoke(billing_1, "orders/1"); // not its partition
    run.try_in_vain(billing_1, "o-1", 1);
    run.try_in_vain(billing_1, "o-1", 2);
    run.crash(billing_1);
    run.revoke(billing_2, "orders/1");
    for (std::uint64_t i = 1; i <= 3; ++i)
        run.try_in_vain(billing_1, "o-1", i);
    run.park("o-1", "letter-1");
    const Verdict verdict = run.judge("attempts-exact");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("after 5 failed attempts, and the service makes 3; what "
                                           "interrupted it explains no more than 4."));
}

TEST(AttemptsExact, AllowsTwoOwnersAtOnceTheirOwnAttempts) {
    HistoryBuilder run;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        run.try_in_vain(billing_1, "o-1", i);
        if (i < 3) run.try_in_vain(billing_2, "o-1", i);
    }
    run.park("o-1", "letter-1");
    EXPECT_EQ(run.judge("attempts-exact").kind, VerdictKind::holds);
}

// A delivery of a share group counts even if it came to no attempt.
TEST(AttemptsExact, TakesTheCountOfAShareGroup) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.share(billing_1, "orders/0", 0, 2);
    run.try_in_vain(billing_1, "o-1", 2);
    run.park("o-1", "letter-1");
    EXPECT_EQ(run.judge("attempts-exact").kind, VerdictKind::violated) << "2 of 3";
    HistoryBuilder counted;
    counted.store("o-1", "orders/0", 0);
    counted.share(billing_1, "orders/0", 0, 1);
    counted.share(billing_2, "orders/0", 0, 2);
    counted.share(billing_1, "orders/0", 0, 3);
    counted.try_in_vain(billing_1, "o-1", 3);
    counted.park("o-1", "letter-1");
    EXPECT_EQ(counted.judge("attempts-exact").kind, VerdictKind::holds);
}

TEST(AttemptsExact, LearnsAnewHowOftenAShareGroupWasGivenWhatItHadFinished) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.share(billing_1, "orders/0", 0, 2);
    run.try_in_vain(billing_1, "o-1", 1);
    run.settle(billing_1, "o-1", "done"); // its acknowledgement is lost
    run.share(billing_2, "orders/0", 0, 3);
    run.try_in_vain(billing_2, "o-1", 3);
    run.park("o-1", "letter-1");
    EXPECT_EQ(run.judge("attempts-exact").kind, VerdictKind::holds);
}

TEST(AttemptsExact, ForgetsAttemptsOfWhatSucceeded) {
    HistoryBuilder run;
    run.try_in_vain(billing_1, "o-1", 1);
    run.attempt(billing_1, "o-1", 2);
    run.settle(billing_1, "o-1", "done");
    EXPECT_EQ(run.judge("attempts-exact").kind, VerdictKind::vacuous);
}

TEST(AttemptsExact, DoesNotJudgeServicesThatNeverPark) {
    HistoryBuilder run;
    run.topology().subscribers[0].attempts_max = 0;
    run.park("o-1", "letter-1");
    EXPECT_EQ(run.judge("attempts-exact").kind, VerdictKind::vacuous);
}

TEST(ParkExactlyOnce, HoldsForCopiesOfOneLetter) {
    HistoryBuilder run;
    run.park("o-1", "letter-1");
    run.park("o-1", "letter-1");
    run.park("o-2", "letter-2");
    run.park("o-1", "letter-3", "shipping");
    const Verdict verdict = run.judge("park-exactly-once");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 3u);
    EXPECT_EQ(HistoryBuilder().judge("park-exactly-once").kind, VerdictKind::vacuous);
}

TEST(ParkExactlyOnce, FindsTwoLettersOfOneMessage) {
    HistoryBuilder run;
    const auto first = run.park("o-1", "letter-1");
    const auto second = run.park("o-1", "letter-2");
    run.park("o-1", "letter-3");
    const Verdict verdict = run.judge("park-exactly-once");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_EQ(verdict.witness, "o-1 was parked twice for billing: as letter-1 at 0.001 s and as "
                               "letter-2 at 0.002 s.");
    EXPECT_THAT(verdict.events, ElementsAre(first, second));
}

} // namespace
} // namespace crier::properties::testing_support
