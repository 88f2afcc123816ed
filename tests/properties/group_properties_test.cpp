// What groups promise: one owner, commits that go forward, positions where the group left off.
#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;

TEST(AssignmentExclusive, AllowsOwnersOfDifferentGenerations) {
    HistoryBuilder run;
    run.assign_in(1, billing_1, "orders/0");
    run.assign_in(2, billing_2, "orders/0"); // billing/1 has not heard of it yet
    run.lose_partition(billing_1, "orders/0");
    run.revoke(billing_2, "orders/0");
    run.assign_in(2, billing_3, "orders/0"); // handed on within a generation
    run.crash(billing_3);
    run.assign_in(2, billing_1, "orders/0");
    EXPECT_EQ(run.judge("assignment-exclusive").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("assignment-exclusive").kind, VerdictKind::vacuous);
}

TEST(AssignmentExclusive, NamesTwoOwnersOfOneGeneration) {
    HistoryBuilder run;
    const auto first = run.assign_in(4, billing_1, "orders/0");
    run.assign_in(4, billing_2, "orders/1");
    const auto second = run.assign_in(4, billing_2, "orders/0");
    const Verdict verdict = run.judge("assignment-exclusive");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness,
              "billing/2 was given orders/0 for billing at 0.003 s, which billing/1 "
              "holds in the same generation 4.");
    EXPECT_THAT(verdict.events, ElementsAre(first, second));
}

TEST(AssignedAll, NeedsAnOwnerOfEveryPartitionAtTheEnd) {
    HistoryBuilder run;
    run.assign(billing_1, "orders/0");
    run.assign(billing_2, "orders/1");
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::holds);
    run.revoke(billing_2, "orders/1");
    const Verdict verdict = run.judge("assigned-all");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "Nobody of billing holds orders/1 at the end, at 0.003 s.");
    RunEnd cut = run.end();
    cut.cut = true;
    EXPECT_EQ(run.judge("assigned-all", {}, cut).kind, VerdictKind::inconclusive);
}

TEST(CommitMonotone, AllowsWhatTheLogOrAResetExplains) {
    HistoryBuilder run;
    run.commit("orders/0", 5);
    run.commit("orders/0", 5);
    run.commit("orders/1", 2);
    run.lose_records("orders/0", 3, 9);
    run.commit("orders/0", 3);
    run.reset(billing_1, "orders/0", 0, "earliest");
    run.commit("orders/0", 1);
    run.lose_records("__consumer_offsets/7", 3, 9);
    run.commit("orders/1", 1);
    EXPECT_EQ(run.judge("commit-monotone").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("commit-monotone").kind, VerdictKind::vacuous);
}

TEST(CommitMonotone, NamesTheCommitThatWentBack) {
    HistoryBuilder run;
    const auto first = run.commit("orders/0", 5);
    const auto second = run.commit("orders/0", 3);
    const Verdict verdict = run.judge("commit-monotone");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "billing committed orders/0 up to before 3 at 0.002 s, after it had "
                               "committed up to before 5.");
    EXPECT_THAT(verdict.events, ElementsAre(first, second));
}

TEST(CommitNotBehind, NeedsTheLastCommitOnceAllIsFinished) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    EXPECT_EQ(run.judge("commit-not-behind").kind, VerdictKind::holds);
    run.accept("o-2");
    run.store("o-2", "orders/0", 1);
    EXPECT_EQ(run.judge("commit-not-behind").kind, VerdictKind::vacuous) << "o-2 is open";
    run.effect("o-2");
    const Verdict verdict = run.judge("commit-not-behind");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, ::testing::HasSubstr("which ends before 2, but by the end it had "
                                                      "committed up to before 1 only"));
    run.commit("orders/0", 2);
    EXPECT_EQ(run.judge("commit-not-behind").kind, VerdictKind::holds);
}

TEST(CommitNotBehind, LeavesAloneWhatAGroupBeganBehind) {
    HistoryBuilder run;
    run.make_direct();
    run.store("o-1", "orders/0", 0);
    run.reset(billing_1, "orders/0", 1, "latest");
    EXPECT_NE(run.judge("commit-not-behind").kind, VerdictKind::violated);
}

TEST(ZombieCommit, IsOneAfterALaterGenerationCommitted) {
    HistoryBuilder run;
    run.topology().subscribers[0].group_traits.protocol = GroupProtocol::eager;
    run.commit_as(1, "orders/0", 1);
    run.commit_as(2, "orders/1", 4);
    run.commit_as(2, "orders/0", 2);
    run.commit_as(static_cast<std::uint64_t>(-1), "orders/0", 2); // by hand, without a member
    EXPECT_EQ(run.judge("zombie-commit").kind, VerdictKind::holds);
    run.commit_as(1, "orders/0", 3);
    const Verdict verdict = run.judge("zombie-commit");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "A commit of billing for orders/0 by a member of generation 1 was "
                               "accepted at 0.005 s, after generation 2 had committed.");
    EXPECT_EQ(HistoryBuilder().judge("zombie-commit").kind, VerdictKind::vacuous);
}

TEST(ResetPolicy, HoldsWhereThereIsNothingToGoOnFrom) {
    HistoryBuilder run;
    run.reset(billing_1, "orders/0", 0, "earliest");
    run.commit("orders/0", 4);
    run.move_start("orders/0", 6); // 4 is out of range
    run.reset(billing_1, "orders/0", 6, "earliest");
    run.commit("orders/0", 9);
    run.lose_records("orders/0", 8, 9);
    run.reset(billing_2, "orders/0", 8, "latest");
    run.commit("orders/1", 9);
    run.lose_records("__consumer_offsets/3", 1, 2);
    run.reset(billing_2, "orders/1", 0, "earliest");
    EXPECT_EQ(run.judge("reset-policy").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("reset-policy").kind, VerdictKind::vacuous);
}

TEST(ResetPolicy, IsNotForAGroupThatHasCommitted) {
    HistoryBuilder run;
    run.commit("orders/0", 4);
    run.move_start("orders/0", 4); // still in range
    run.reset(billing_2, "orders/0", 9, "latest");
    const Verdict verdict = run.judge("reset-policy");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "billing/2 began orders/0 for billing at 0.003 s from 9, latest, "
                               "although the group had committed up to before 4.");
}

TEST(RebalanceStorm, CountsGenerationsThatNobodysComingOrGoingExplains) {
    PropertyOptions options;
    options.generations = 3;
    options.within = std::chrono::seconds(10);
    HistoryBuilder run;
    for (std::uint64_t generation = 1; generation <= 12; ++generation) {
        if (generation % 3 == 0) run.crash(billing_1);
        run.start_generation(generation);
    }
    for (std::uint64_t generation = 13; generation <= 20; ++generation) {
        run.wait(std::chrono::seconds(4));
        run.start_generation(generation);
    }
    EXPECT_EQ(run.judge("rebalance-storm", options).kind, VerdictKind::holds);
    run.start_generation(21);
    run.start_generation(22);
    const Verdict verdict = run.judge("rebalance-storm", options);
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1U);
    EXPECT_THAT(verdict.witness,
                ::testing::StartsWith("billing started 4 generations within 10 s"));
    EXPECT_EQ(HistoryBuilder().judge("rebalance-storm").kind, VerdictKind::vacuous);
}

} // namespace
} // namespace crier::properties::testing_support
