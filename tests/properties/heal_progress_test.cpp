#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;

using std::chrono::seconds;

TEST(HealProgress, HoldsWhenWorkGoesOnAfterHealing) {
    HistoryBuilder run;
    run.accept("o-1");
    run.accept("o-2");
    run.wait(seconds(100)); // faults are not over yet
    run.heal();
    run.wait(seconds(59));
    run.effect("o-1");
    run.wait(seconds(59));
    run.effect("o-2");
    run.wait(seconds(1000)); // nothing is open
    const Verdict verdict = run.judge("heal-progress");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_GE(verdict.observations, 1u);
}

TEST(HealProgress, IsVacuousWhenNothingWasOpenAfterHealing) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    run.heal();
    run.wait(seconds(100));
    EXPECT_EQ(run.judge("heal-progress").kind, VerdictKind::vacuous);
    EXPECT_EQ(HistoryBuilder().judge("heal-progress").kind, VerdictKind::vacuous);
}

TEST(HealProgress, FindsASilenceWithOpenWork) {
    HistoryBuilder run;
    run.accept("o-1");
    const auto healed = run.heal();
    run.wait(seconds(61));
    run.attempt(billing_1, "o-1");
    run.wait(seconds(10));
    run.effect("o-1");
    const Verdict verdict = run.judge("heal-progress");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_EQ(verdict.witness, "Every fault was over at 0.002 s, but from 0.002 s on nothing moved "
                               "for 60 s although 1 of the ledger's entries were open.");
    EXPECT_THAT(verdict.events, ElementsAre(healed));
    EXPECT_EQ(verdict.violated_at, Instant(seconds(60) + std::chrono::milliseconds(2)));
}

TEST(HealProgress, FindsASilenceUpToTheEnd) {
    HistoryBuilder run;
    run.accept("o-1");
    run.heal();
    run.wait(seconds(3));
    PropertyOptions options;
    options.within = seconds(2);
    EXPECT_EQ(run.judge("heal-progress", options).kind, VerdictKind::violated);
    EXPECT_EQ(run.judge("heal-progress").kind, VerdictKind::holds);
}

TEST(HealProgress, DoesNotJudgeWhileFaultsLast) {
    HistoryBuilder run;
    run.accept("o-1");
    run.heal();
    run.begin_fault();
    run.wait(seconds(100));
    run.attempt(billing_1, "o-1");
    EXPECT_NE(run.judge("heal-progress").kind, VerdictKind::violated);
}

} // namespace
} // namespace crier::properties::testing_support
