#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CommitNotAhead, HoldsWhenEverythingBelowIsFinished) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    run.store("o-2", "orders/0", 1);
    run.park("o-2", "letter-1");
    run.store("o-3", "orders/0", 2);
    run.settle(billing_1, "o-3", "discarded", "cancelled");
    run.store("o-1", "orders/0", 3); // a copy of a finished one
    run.store("o-4", "orders/0", 4);
    run.store("o-5", "orders/1", 0);
    run.commit("orders/0", 4);
    const Verdict verdict = run.judge("commit-not-ahead");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 4u);
    EXPECT_EQ(HistoryBuilder().judge("commit-not-ahead").kind, VerdictKind::vacuous);
}

TEST(CommitNotAhead, NamesTheOffsetThatWouldBeLost) {
    HistoryBuilder run;
    run.assign(billing_2, "orders/0");
    bill(run, "o-1", 0);
    const auto stored = run.store("o-2", "orders/0", 1);
    const auto commit = run.commit("orders/0", 2);
    run.effect("o-2");
    run.commit("orders/0", 2);
    const Verdict verdict = run.judge("commit-not-ahead");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_EQ(verdict.witness,
              "billing committed orders/0 up to before 2 at 0.010 s, but o-2 at offset 1 is not "
              "finished for billing: it would be lost if billing/2 died now.");
    EXPECT_THAT(verdict.subjects, ElementsAre(run.name("o-2")));
    EXPECT_THAT(verdict.events, ElementsAre(stored, commit));
}

TEST(CommitNotAhead, DoesNotTakeALostEffectForAFinishedOne) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.effect("o-1");
    run.lose_effect("o-1");
    run.commit("orders/0", 1);
    EXPECT_EQ(run.judge("commit-not-ahead").kind, VerdictKind::violated);
}

TEST(CommitNotAhead, DoesNotTakeAServicesWordForAFate) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.settle(billing_1, "o-1", "done");
    run.settle(billing_1, "o-1", "parked", "declined");
    run.commit("orders/0", 1);
    EXPECT_EQ(run.judge("commit-not-ahead").kind, VerdictKind::violated);
}

TEST(CommitNotAhead, IgnoresOtherGroups) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.commit("orders/0", 1, "somebody-else");
    EXPECT_EQ(run.judge("commit-not-ahead").kind, VerdictKind::vacuous);
}

TEST(CommitNotAhead, JudgesOffsetsAnewThatWereGivenToOtherRecords) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    run.lose_records("orders/0", 0, 0);
    run.store("o-2", "orders/0", 0);
    run.commit("orders/0", 1);
    EXPECT_EQ(run.judge("commit-not-ahead").kind, VerdictKind::violated);
}

} // namespace
} // namespace crier::properties::testing_support
