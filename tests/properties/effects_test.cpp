#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(EffectAtLeastOnce, HoldsForEffectiveParkedAndDiscardedEvents) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    run.accept("o-2");
    run.park("o-2", "letter-1");
    run.accept("o-3");
    run.settle(billing_2, "o-3", "discarded", "cancelled");
    const Verdict verdict = run.judge("effect-at-least-once");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 3u);
    EXPECT_EQ(HistoryBuilder().judge("effect-at-least-once").kind, VerdictKind::vacuous);
}

TEST(EffectAtLeastOnce, FindsAnEventWithoutEffect) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    const auto accepted = run.accept("o-2");
    const Verdict verdict = run.judge("effect-at-least-once");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("o-2 was accepted and never took effect for billing"));
    EXPECT_THAT(verdict.events, ElementsAre(accepted));
}

TEST(EffectAtLeastOnce, FindsAnEffectThatWasLost) {
    HistoryBuilder run;
    run.accept("o-1");
    run.effect("o-1");
    run.effect("o-1");
    run.lose_effect("o-1");
    EXPECT_EQ(run.judge("effect-at-least-once").kind, VerdictKind::holds);
    run.lose_effect("o-1");
    EXPECT_THAT(run.judge("effect-at-least-once").witness, HasSubstr("lost its effect again"));
}

TEST(EffectAtMostOnce, HoldsWhenEveryIdentityHasOneRow) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    bill(run, "o-2", 1);
    const Verdict verdict = run.judge("effect-at-most-once");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 2u);
    EXPECT_EQ(HistoryBuilder().judge("effect-at-most-once").kind, VerdictKind::vacuous);
}

TEST(EffectAtMostOnce, NamesWhoDidItTwiceAndWhen) {
    HistoryBuilder run;
    run.accept("o-1");
    run.attempt(billing_1, "o-1");
    const auto first = run.effect("o-1");
    run.crash(billing_1);
    const auto again = run.attempt(billing_3, "o-1");
    const auto second = run.effect("o-1");
    const Verdict verdict = run.judge("effect-at-most-once");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_EQ(verdict.witness,
              "o-1 (customer-1) is twice in billing-db.charges: first by billing/1 "
              "at 0.003 s, again by billing/3 at 0.006 s.");
    EXPECT_THAT(verdict.events, ElementsAre(first, again, second));
    EXPECT_EQ(verdict.violated_at, Instant(std::chrono::milliseconds(6)));
}

TEST(EffectAtMostOnce, DoesNotCountRowsThatWereLost) {
    HistoryBuilder run;
    run.effect("o-1");
    run.lose_effect("o-1");
    run.effect("o-1");
    EXPECT_EQ(run.judge("effect-at-most-once").kind, VerdictKind::holds);
    run.effect("o-1");
    EXPECT_EQ(run.judge("effect-at-most-once").kind, VerdictKind::violated);
}

TEST(EffectAtMostOnce, IgnoresTablesThatNobodyDeclared) {
    HistoryBuilder run;
    run.accept("o-1");
    run.accept("o-1");
    EXPECT_EQ(run.judge("effect-at-most-once").kind, VerdictKind::vacuous);
}

} // namespace
} // namespace crier::properties::testing_support
