// What groups promise when partitions move: who may have one, who may act on it, and where the next
// one goes on.
#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto classic = GroupProtocol::eager;

TEST(RevokeBeforeAssign, WaitsForTheOwnerOrForItsEnd) {
    HistoryBuilder run;
    run.assign_member("m-1", billing_1, "orders/0");
    run.revoke(billing_1, "orders/0");
    run.assign_member("m-2", billing_2, "orders/0"); // given back
    run.give_up("m-2", "its session is over");
    run.assign_member("m-3", billing_3, "orders/0"); // m-2 has not heard of it
    run.crash(billing_3);
    run.assign_member("m-4", billing_1, "orders/0"); // nobody is left
    run.assign_member("m-5", billing_1, "orders/0"); // the same process, as another member
    run.lose_records("__consumer_offsets/7", 3, 9);
    run.assign_member("m-1", billing_2, "orders/0"); // by a coordinator that knows of nobody
    EXPECT_EQ(run.judge("revoke-before-assign").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("revoke-before-assign").kind, VerdictKind::vacuous);
}

TEST(RevokeBeforeAssign, NamesWhoStillHadIt) {
    HistoryBuilder run;
    const auto first = run.assign_member("m-1", billing_1, "orders/0");
    run.give_up("m-3", "it left");
    run.lose_records("orders/0", 3, 9); // no group's log
    const auto second = run.assign_member("m-2", billing_2, "orders/0");
    const Verdict verdict = run.judge("revoke-before-assign");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "billing/2 was given orders/0 for billing at 0.004 s before "
                               "billing/1, a member, had given it back.");
    EXPECT_THAT(verdict.events, ElementsAre(first, second));
}

TEST(RevokeBeforeAssign, KnowsAMemberThatCameBackUnderItsId) {
    HistoryBuilder run;
    run.start_generation(1);
    run.assign_member("m-1", billing_1, "orders/0");
    run.give_up("m-1", "its session is over");
    run.assign_member("m-2", billing_2, "orders/0");
    run.revoke(billing_2, "orders/0");
    run.start_generation(2);
    run.assign_member("m-1", billing_1, "orders/0", 2); // it joined again, as the same member
    EXPECT_EQ(run.judge("revoke-before-assign").kind, VerdictKind::holds);
    run.assign_member("m-2", billing_2, "orders/0", 2);
    EXPECT_EQ(run.judge("revoke-before-assign").kind, VerdictKind::violated);
}

TEST(ZombieEffect, AllowsTheOwnerAndWhoHasNoSuccessorYet) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.store("o-2", "orders/0", 1);
    run.assign_in(1, billing_1, "orders/0");
    run.effect_by(billing_1, "o-1");
    run.lose_partition(billing_1, "orders/0");
    run.effect_by(billing_1, "o-2"); // nobody else is at work
    EXPECT_EQ(run.judge("zombie-effect").kind, VerdictKind::holds);
    run.assign_in(2, billing_2, "orders/0");
    run.crash(billing_2);
    run.effect_by(billing_1, "o-2");  // the successor is dead
    run.effect_by(billing_db, "o-2"); // found in the log: made whenever
    run.effect_by(shop_1, "o-2");     // no member
    run.assign_in(3, billing_3, "orders/0");
    run.effect_by(billing_3, "o-2");
    EXPECT_EQ(run.judge("zombie-effect").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("zombie-effect").kind, VerdictKind::vacuous);
}

TEST(ZombieEffect, IsOneByWhoLostThePartitionToAnother) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.assign_in(1, billing_1, "orders/0");
    const auto owner = run.assign_in(2, billing_2, "orders/0"); // billing/1 has not heard of it
    const auto effect = run.effect_by(billing_1, "o-1");
    const Verdict verdict = run.judge("zombie-effect");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "o-1 took effect at 0.005 s by billing/1, which had lost orders/0: "
                               "billing/2 holds it in generation 2.");
    EXPECT_THAT(verdict.events, ElementsAre(owner, effect));
}

TEST(ZombieEffect, IsOneEvenAfterTheOldOwnerHasGivenBack) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.assign_in(1, billing_1, "orders/0");
    run.revoke(billing_1, "orders/0");
    run.assign_in(2, billing_2, "orders/0");
    run.effect_by(billing_2, "o-1");
    EXPECT_EQ(run.judge("zombie-effect").kind, VerdictKind::holds);
    run.effect_by(billing_1, "o-1");
    EXPECT_EQ(run.judge("zombie-effect").kind, VerdictKind::violated);
    run.store("o-1", "orders/1", 0); // now it may have been the other copy
    run.effect_by(billing_1, "o-1");
    EXPECT_EQ(run.judge("zombie-effect").violations, 1u);
}

TEST(PositionContiguous, PassesOverWhatNoReaderGets) {
    HistoryBuilder run;
    for (const std::uint64_t offset : {0u, 1u, 4u, 5u, 8u})
        run.store("o-" + std::to_string(offset), "orders/0", offset);
    run.assign(billing_1, "orders/0");
    run.reset(billing_1, "orders/0", 0, "earliest");
    run.deliver(billing_1, "orders/0", 0, 2);
    run.deliver(billing_1, "orders/0", 4, 5); // 2 and 3 are a marker and an aborted record
    run.move_start("orders/0", 8);
    run.deliver(billing_1, "orders/0", 8, 9); // 5 is deleted
    run.seek(billing_1, "orders/0", 4);
    run.deliver(billing_1, "orders/0", 4, 5);
    run.commit("orders/0", 5);
    run.revoke(billing_1, "orders/0");
    run.assign(billing_2, "orders/0");
    run.commit("orders/0", 8); // in time for who looks now
    run.deliver(billing_2, "orders/0", 8, 9);
    run.crash(billing_2);
    run.assign(billing_2, "orders/0");
    run.deliver(billing_2, "orders/0", 4, 5); // what is again is counted elsewhere
    EXPECT_EQ(run.judge("position-contiguous").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("position-contiguous").kind, VerdictKind::vacuous);
}

TEST(PositionContiguous, NamesWhatIsReadAgainOrSkipped) {
    HistoryBuilder run;
    run.store("o-1", "orders/0", 0);
    run.store("o-2", "orders/0", 1);
    run.assign(billing_1, "orders/0");
    const auto before = run.deliver(billing_1, "orders/0", 0, 2);
    const auto again = run.deliver(billing_1, "orders/0", 1, 2);
    const Verdict verdict = run.judge("position-contiguous");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness,
              "billing/1 stood at 2 of orders/0 and reads again from 1 at 0.005 s.");
    EXPECT_THAT(verdict.events, ElementsAre(before, again));

    HistoryBuilder skips;
    skips.store("o-1", "orders/0", 0);
    skips.store("o-2", "orders/0", 1);
    skips.reset(billing_1, "orders/0", 0, "earliest");
    skips.deliver(billing_1, "orders/0", 1, 2);
    EXPECT_EQ(skips.judge("position-contiguous").witness,
              "billing/1 stood at 0 of orders/0 and reads only from 1 at 0.004 s.");

    HistoryBuilder begins; // beyond what its group had committed
    begins.store("o-1", "orders/0", 0);
    begins.store("o-2", "orders/0", 1);
    begins.commit("orders/0", 1);
    begins.store("o-3", "orders/0", 2);
    begins.assign(billing_1, "orders/0");
    begins.deliver(billing_1, "orders/0", 2, 3);
    EXPECT_EQ(begins.judge("position-contiguous").kind, VerdictKind::violated);
}

TEST(AutoCommitWindow, IsSafeForWhatIsFinishedBefore) {
    HistoryBuilder run;
    run.topology().subscribers[0].group_traits.automatic_commits = true;
    run.assign(billing_1, "orders/0");
    run.store("o-1", "orders/0", 0);
    run.store("o-2", "orders/0", 1);
    run.deliver(billing_1, "orders/0", 0, 2);
    run.settle(billing_1, "o-1", "done");
    run.commit("orders/0", 1); // o-2 is in work and not covered
    run.settle(billing_1, "o-2", "parked");
    run.store("o-3", "orders/0", 2);
    run.deliver(billing_1, "orders/0", 2, 3);
    run.commit("orders/0", 2);
    EXPECT_EQ(run.judge("auto-commit-window").kind, VerdictKind::holds);
}

TEST(AutoCommitWindow, MindsASlowerGroupToo) {
    HistoryBuilder run;
    run.topology().subscribers[0].group_traits.automatic_commits = true;
    Subscriber audit = run.topology().subscribers[0];
    audit.service = audit.group = "audit";
    audit.service_text = audit.group_text = run.name("audit");
    audit.nodes = {shop_1};
    run.topology().subscribers.push_back(audit);
    run.store("o-1", "orders/0", 0);
    run.store("o-2", "orders/0", 1);
    run.commit("orders/0", 2, "audit"); // it is ahead
    run.deliver(billing_1, "orders/0", 0, 2);
    run.settle(billing_1, "o-2", "done");
    EXPECT_EQ(run.judge("auto-commit-window").kind, VerdictKind::vacuous);
    run.commit("orders/0", 2);
    const Verdict verdict = run.judge("auto-commit-window");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1U);
    EXPECT_EQ(verdict.observations, 2U);
}

TEST(AutoCommitWindow, NamesWhatIsStillInWork) {
    HistoryBuilder run;
    run.assign(billing_1, "orders/0");
    run.store("o-1", "orders/0", 0);
    run.store("o-2", "orders/0", 1);
    const auto handed = run.deliver(billing_1, "orders/0", 0, 2);
    run.settle(billing_1, "o-1", "done");
    run.settle(billing_2, "o-2", "done"); // another's attempt at it
    const auto commit = run.commit("orders/0", 2);
    EXPECT_EQ(run.judge("auto-commit-window").kind, VerdictKind::vacuous) << "it commits itself";
    run.topology().subscribers[0].group_traits.automatic_commits = true;
    const Verdict verdict = run.judge("auto-commit-window");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_EQ(verdict.witness, "The client of billing/1 committed orders/0 up to before 2 by "
                               "itself at 0.007 s, while o-2 at offset 1 was still in work.");
    EXPECT_THAT(verdict.events, ElementsAre(handed, commit));
}

/// billing/1 was handed three records and committed the first; billing/2 has the partition now.
void hand_over(HistoryBuilder& run) {
    for (const std::uint64_t offset : {0u, 1u, 2u, 3u})
        run.store("o-" + std::to_string(offset), "orders/0", offset);
    run.assign(billing_1, "orders/0");
    run.deliver(billing_1, "orders/0", 0, 3);
    run.commit("orders/0", 1);
    run.revoke(billing_1, "orders/0");
    run.assign(billing_2, "orders/0");
}

TEST(RejoinDupBound, IsWhatWasHandedOutAndNotCommitted) {
    HistoryBuilder run;
    hand_over(run);
    run.deliver(billing_2, "orders/0", 1, 2);
    run.deliver(billing_2, "orders/0", 2, 4);
    EXPECT_EQ(run.judge("rejoin-dup-bound").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("rejoin-dup-bound").kind, VerdictKind::vacuous);
    HistoryBuilder back;
    hand_over(back);
    back.seek(billing_2, "orders/0", 0);
    back.deliver(billing_2, "orders/0", 0, 4); // on purpose
    EXPECT_EQ(back.judge("rejoin-dup-bound").kind, VerdictKind::holds);
    HistoryBuilder lost;
    hand_over(lost);
    lost.lose_records("__consumer_offsets/7", 3, 9);
    lost.deliver(billing_2, "orders/0", 0, 4);
    EXPECT_EQ(lost.judge("rejoin-dup-bound").kind, VerdictKind::holds);
}

TEST(RejoinDupBound, CountsWhatIsHandedOutBeyondIt) {
    HistoryBuilder run;
    hand_over(run);
    run.deliver(billing_2, "orders/0", 0, 2);
    EXPECT_EQ(run.judge("rejoin-dup-bound").kind, VerdictKind::holds)
        << "two are again, as allowed";
    run.deliver(billing_2, "orders/0", 2, 4);
    const Verdict verdict = run.judge("rejoin-dup-bound");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_EQ(verdict.witness, "billing/2 took orders/0 over and had been handed 3 of its records "
                               "again by 0.011 s, although only 2 were not committed (up to before "
                               "1).");
}

TEST(AssignmentFair, AllowsADifferenceOfOne) {
    HistoryBuilder run;
    run.start_generation(1, 2);
    run.assign(billing_1, "orders/0");
    run.assign(billing_2, "orders/1");
    EXPECT_EQ(run.judge("assignment-fair").kind, VerdictKind::vacuous) << "it may still move";
    run.wait(std::chrono::seconds(13));
    EXPECT_EQ(run.judge("assignment-fair").kind, VerdictKind::holds);
    run.crash(billing_2);
    EXPECT_EQ(run.judge("assignment-fair").kind, VerdictKind::vacuous) << "somebody is missing";
}

TEST(AssignmentFair, NamesWhoHasTooMuch) {
    HistoryBuilder run;
    run.topology().subscribers[0].group_traits.protocol = classic;
    run.start_generation(1, 2);
    run.assign(billing_1, "orders/0");
    run.assign(billing_1, "orders/1");
    run.wait(std::chrono::seconds(6));
    const Verdict verdict = run.judge("assignment-fair");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness,
              "billing/1 holds 2 of 2 partitions of orders at the end, and another "
              "of the 2 members 0.");
    run.topology().subscribers[0].group_traits.protocol = GroupProtocol::share;
    EXPECT_EQ(run.judge("assignment-fair").kind, VerdictKind::vacuous);
}

TEST(AssignedAll, WaitsForTheSessionOfWhoDied) {
    HistoryBuilder run;
    run.assign_member("m-1", billing_1, "orders/0");
    run.assign_member("m-2", billing_2, "orders/1");
    run.crash(billing_2);
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::vacuous) << "m-2's session goes on";
    run.give_up("m-2", "its session is over");
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::violated) << "and the group knows";
    run.crash(billing_3); // perhaps a member with nothing
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::vacuous);
    run.wait(std::chrono::seconds(60));
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::violated);
    run.topology().subscribers[0].group_traits.protocol = GroupProtocol::share;
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::vacuous);
}

TEST(AssignedAll, WaitsForARebalanceThatIsUnderWay) {
    HistoryBuilder run;
    run.start_generation(1);
    run.assign(billing_1, "orders/0");
    run.assign(billing_2, "orders/1");
    run.revoke(billing_2, "orders/1");
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::holds) << "orders/1 may go elsewhere";
    run.wait(std::chrono::seconds(60));
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::violated) << "but not for ever";
    run.assign(billing_2, "orders/1");
    run.revoke(billing_2, "orders/1");
    run.start_generation(2);
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::violated) << "and it was forgotten";
}

TEST(AssignmentExclusive, CountsWhatAMemberKeepsForItsLastGeneration) {
    HistoryBuilder run;
    run.assign_in(1, billing_1, "orders/0");
    run.assign_in(2, billing_1, "orders/1"); // cooperative: orders/0 stays
    run.assign_in(2, billing_2, "orders/0");
    EXPECT_EQ(run.judge("assignment-exclusive").kind, VerdictKind::violated);
}

TEST(CommitMonotone, AllowsASeekAndAnExpiredCommit) {
    HistoryBuilder run;
    run.commit("orders/0", 5);
    run.seek(billing_1, "orders/0", 2);
    run.commit("orders/0", 3);
    run.expire("orders/0");
    run.commit("orders/0", 1);
    EXPECT_EQ(run.judge("commit-monotone").kind, VerdictKind::holds);
}

TEST(CommitNotBehind, GoesByTheLastRecordAndByWhoCommits) {
    HistoryBuilder run;
    bill(run, "o-2", 1);
    run.accept("o-1");
    run.store("o-1", "orders/0", 0); // of a transaction that ended later
    run.effect("o-1");
    EXPECT_EQ(run.judge("commit-not-behind").kind, VerdictKind::holds);
    bill(run, "o-3", 2);
    run.accept("o-4");
    run.store("o-4", "orders/0", 3);
    run.effect("o-4");
    EXPECT_EQ(run.judge("commit-not-behind").kind, VerdictKind::violated);
    GroupTraits& traits = run.topology().subscribers[0].group_traits;
    traits.automatic_commits = true;
    EXPECT_EQ(run.judge("commit-not-behind").kind, VerdictKind::vacuous);
    traits = {};
    run.expire("orders/0");
    EXPECT_EQ(run.judge("commit-not-behind").kind, VerdictKind::holds);
}

TEST(ZombieCommit, GoesByTheOwnersEpochInTheNewProtocol) {
    HistoryBuilder run;
    run.topology().subscribers[0].group_traits.protocol = GroupProtocol::coordinator;
    run.assign_in(3, billing_1, "orders/0");
    run.assign_in(4, billing_2, "orders/1");
    run.commit_as(5, "orders/0", 1);
    run.commit_as(4, "orders/1", 1); // another member, not yet as far
    run.commit_as(4, "orders/0", 2); // it has had it since 3
    EXPECT_EQ(run.judge("zombie-commit").kind, VerdictKind::holds);
    run.assign_in(6, billing_2, "orders/0");
    run.commit_as(6, "orders/0", 3);
    run.commit_as(5, "orders/0", 3);
    const Verdict verdict = run.judge("zombie-commit");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    run.topology().subscribers[0].group_traits.protocol = classic;
    EXPECT_EQ(run.judge("zombie-commit").violations, 3u);
}

TEST(ZombieCommit, BeginsAnewWithAGroupThatWasForgotten) {
    HistoryBuilder run;
    run.topology().subscribers[0].group_traits.protocol = classic;
    run.commit_as(7, "orders/0", 1);
    run.expire("orders/0");
    run.commit_as(1, "orders/0", 1);
    EXPECT_EQ(run.judge("zombie-commit").kind, VerdictKind::holds);
    run.lose_records("orders/0", 0, 1); // nothing of the group's
    run.commit_as(2, "orders/0", 1);
    run.commit_as(1, "orders/0", 1);
    EXPECT_EQ(run.judge("zombie-commit").kind, VerdictKind::violated);
}

TEST(ResetPolicy, AllowsAnExpiredCommitAndNoOtherPolicyThanItsOwn) {
    HistoryBuilder run;
    run.topology().subscribers[0].group_traits.offset_reset = "earliest";
    run.commit("orders/0", 4);
    run.expire("orders/0");
    run.reset(billing_1, "orders/0", 0, "earliest");
    run.reset(billing_1, "orders/1", 3, "the log was truncated");
    EXPECT_EQ(run.judge("reset-policy").kind, VerdictKind::holds);
    run.reset(billing_1, "orders/0", 9, "latest");
    EXPECT_EQ(run.judge("reset-policy").witness,
              "billing/1 began orders/0 at 0.005 s from 9, latest, and is to begin earliest.");
}

TEST(AssignedAll, CountsAPartitionFromWhenItIsAdded) {
    HistoryBuilder run;
    run.topology().channels[0].partitions_later = 1;
    run.assign(billing_1, "orders/0");
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::holds);
    run.add_partitions("orders", 1, 2);
    const Verdict verdict = run.judge("assigned-all");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.observations, 2u);
    run.assign(billing_2, "orders/1");
    EXPECT_EQ(run.judge("assigned-all").kind, VerdictKind::holds);
}

} // namespace
} // namespace crier::properties::testing_support
