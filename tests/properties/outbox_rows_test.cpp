#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

// What becomes of the rows of an outbox, and what its relays send.

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::string_view outbox = "shop-db.outbox";
constexpr std::string_view cursor = "shop-db.outbox_cursor";

VerdictKind vacuous_of(std::string_view property) {
    HistoryBuilder run;
    run.follow();
    bill(run, "o-1", 0);
    return run.judge(property).kind;
}

/// A relay takes the lead for the first time.
void make_leader(HistoryBuilder& run, std::uint32_t relay, std::string_view owner) {
    run.commit_of(relay);
    run.set(cursor, "relay", "position", 0);
    run.set(cursor, "relay", "epoch", 1);
    run.set(cursor, "relay", "owner", owner);
    run.set(cursor, "relay", "until", run.wall_now() + 5'000);
    run.add_row(cursor, "relay", "");
}

std::uint64_t move_cursor(HistoryBuilder& run, std::uint32_t relay, std::int64_t position) {
    run.commit_of(relay);
    run.set(cursor, "relay", "position", position);
    return run.change_row(cursor, "relay");
}

std::uint64_t send_confirmed(HistoryBuilder& run, std::uint32_t relay, std::string_view id,
                             std::uint64_t number) {
    const std::uint64_t sent = run.send(relay, id, "orders/0", number);
    run.store(id, "orders/0", number);
    run.acknowledge(relay, "orders/0", number, number);
    return sent;
}

TEST(OutboxGapSkip, HoldsWhileRowsAppearBeyondTheCursor) {
    HistoryBuilder run;
    run.follow();
    make_leader(run, shop_1, "a");
    run.write_outbox("o-2", 2);
    run.write_outbox("o-1", 1); // late, and the cursor has waited
    move_cursor(run, shop_1, 2);
    run.write_outbox("o-3", 3);
    const Verdict verdict = run.judge("outbox-gap-skip");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 3u);
    EXPECT_EQ(vacuous_of("outbox-gap-skip"), VerdictKind::vacuous);
}

TEST(OutboxGapSkip, FindsARowThatTheCursorHasPassed) {
    HistoryBuilder run;
    run.follow();
    make_leader(run, shop_1, "a");
    run.write_outbox("o-2", 2);
    const std::uint64_t moved = move_cursor(run, shop_1, 2);
    const std::uint64_t added = run.write_outbox("o-1", 1);
    const Verdict verdict = run.judge("outbox-gap-skip");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_THAT(verdict.witness, HasSubstr("o-1 appears in shop-db.outbox at position 1"));
    EXPECT_THAT(verdict.witness, HasSubstr("shop-db.outbox_cursor stands at 2"));
    EXPECT_THAT(verdict.events, ElementsAre(moved, added));
}

TEST(OutboxMarkAfterPublish, HoldsWhenTheBrokerHasTheMessage) {
    HistoryBuilder run;
    run.follow();
    run.write_outbox("o-1", 1);
    run.store("o-1", "orders/0", 0);
    run.remove_row(outbox, "o-1");
    run.write_outbox("o-2", 2); // the leader alone has said so
    run.send(shop_1, "o-2", "orders/0", 0);
    run.acknowledge(shop_1, "orders/0", 1, 0);
    run.remove_row(outbox, "o-2");
    run.write_outbox("o-3", 3); // replaced by another of its message
    run.commit_of(shop_1);
    run.add_row(outbox, "o-3");
    run.remove_row(outbox, "o-3");
    run.write_outbox("o-4", 4); // dead, and removed by somebody
    run.set(outbox, "o-4", "dead", 1);
    run.change_row(outbox, "o-4");
    run.remove_row(outbox, "o-4");
    run.write_outbox("o-5", 5);
    run.lose_row(outbox, "o-5");
    const Verdict verdict = run.judge("outbox-mark-after-publish");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 2u);
    EXPECT_EQ(vacuous_of("outbox-mark-after-publish"), VerdictKind::vacuous);
}

TEST(OutboxMarkAfterPublish, FindsARowThatWentUnpublished) {
    HistoryBuilder run;
    run.follow();
    const std::uint64_t added = run.write_outbox("o-1", 1);
    run.send(shop_1, "o-1", "orders/0", 0);
    run.store("o-1", "orders-dead/0", 0); // elsewhere
    const std::uint64_t removed = run.remove_row(outbox, "o-1");
    run.store("o-1", "orders/0", 0);
    const Verdict verdict = run.judge("outbox-mark-after-publish");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("o-1 in shop-db.outbox is removed as published at "));
    EXPECT_THAT(verdict.witness, HasSubstr("but orders has not got it"));
    EXPECT_THAT(verdict.events, ElementsAre(added, removed));
}

TEST(OutboxMarkAfterPublish, FindsAMarkTooEarly) {
    HistoryBuilder run;
    run.follow(true);
    run.write_outbox("o-1", 1);
    run.set(outbox, "o-1", "published", run.wall_now());
    run.change_row(outbox, "o-1");
    run.write_outbox("o-2", 2);
    run.remove_row(outbox, "o-2"); // the purge's, here
    const Verdict verdict = run.judge("outbox-mark-after-publish");
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_THAT(verdict.witness, HasSubstr("is marked as published"));
}

TEST(OutboxPurgeSafe, HoldsForWhatIsPublishedOrDead) {
    HistoryBuilder run;
    run.follow(true);
    run.write_outbox("o-1", 1);
    run.set(outbox, "o-1", "published", run.wall_now());
    run.change_row(outbox, "o-1");
    run.remove_row(outbox, "o-1");
    run.write_outbox("o-2", 2);
    run.set(outbox, "o-2", "dead", run.wall_now());
    run.change_row(outbox, "o-2");
    run.remove_row(outbox, "o-2");
    const Verdict verdict = run.judge("outbox-purge-safe");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 2u);
    HistoryBuilder removing; // a relay that removes what it has published
    removing.follow();
    removing.write_outbox("o-1", 1);
    removing.remove_row(outbox, "o-1");
    EXPECT_EQ(removing.judge("outbox-purge-safe").kind, VerdictKind::vacuous);
}

TEST(OutboxPurgeSafe, FindsAnOpenRowThatGoes) {
    HistoryBuilder run;
    run.follow(true);
    const std::uint64_t added = run.write_outbox("o-1", 1);
    run.store("o-1", "orders/0", 0); // published, and not marked
    run.commit_of(shop_2);
    const std::uint64_t removed = run.remove_row(outbox, "o-1");
    const Verdict verdict = run.judge("outbox-purge-safe");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("shop/2 removes o-1 from shop-db.outbox at "));
    EXPECT_THAT(verdict.events, ElementsAre(added, removed));
}

TEST(OutboxDupBound, AllowsWhatHasHitASending) {
    HistoryBuilder run;
    run.follow();
    run.topology().outboxes.front().leader_text = 0;
    run.write_outbox("o-1", 1);
    run.claim(shop_1, "o-1", "a");
    run.send(shop_1, "o-1", "orders/0", 0);
    run.fail_send(shop_1, "orders/0", 0);
    send_confirmed(run, shop_1, "o-1", 1); // since that had failed
    run.crash(shop_1);
    run.wait(31s);
    run.claim(shop_2, "o-1", "b");
    send_confirmed(run, shop_2, "o-1", 0); // since its owner died, unmarked
    run.pause(shop_2);
    run.wait(31s);
    run.claim(shop_1, "o-1", "c");
    send_confirmed(run, shop_1, "o-1", 0);
    send_confirmed(run, billing_1, "o-1", 0); // no relay
    const Verdict verdict = run.judge("outbox-dup-bound");
    EXPECT_EQ(verdict.kind, VerdictKind::holds) << verdict.witness;
    EXPECT_EQ(verdict.observations, 4u);
    EXPECT_EQ(vacuous_of("outbox-dup-bound"), VerdictKind::vacuous);
}

TEST(OutboxDupBound, AllowsANewLeadersRepetition) {
    HistoryBuilder run;
    run.follow();
    make_leader(run, shop_1, "a");
    run.write_outbox("o-1", 1);
    send_confirmed(run, shop_1, "o-1", 0);
    run.wait(6s);
    run.claim(shop_2, "relay", "b", 5s, cursor);
    send_confirmed(run, shop_2, "o-1", 0);
    EXPECT_EQ(run.judge("outbox-dup-bound").kind, VerdictKind::holds);
    send_confirmed(run, shop_2, "o-1", 1);
    EXPECT_EQ(run.judge("outbox-dup-bound").violations, 1u);
}

TEST(OutboxDupBound, FindsRelaysThatRace) {
    HistoryBuilder run;
    run.follow();
    run.topology().outboxes.front().leader_text = 0;
    run.write_outbox("o-1", 1);
    run.claim(shop_1, "o-1", "a");
    const std::uint64_t first = send_confirmed(run, shop_1, "o-1", 0);
    run.claim(shop_2, "o-1", "b"); // although the lease has not ended
    const std::uint64_t second = send_confirmed(run, shop_2, "o-1", 0);
    const Verdict verdict = run.judge("outbox-dup-bound");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("shop/2 sends o-1 of shop-db.outbox at "));
    EXPECT_THAT(verdict.witness, HasSubstr("which shop/1 had sent at "));
    EXPECT_THAT(verdict.events, ElementsAre(first, second));
}

TEST(OutboxDupBound, DoesNotJudgeRelaysWithoutLeases) {
    HistoryBuilder run;
    run.follow();
    run.topology().outboxes.front().leader_text = 0;
    run.write_outbox("o-1", 1);
    send_confirmed(run, shop_1, "o-1", 0);
    send_confirmed(run, shop_1, "o-1", 1);
    EXPECT_EQ(run.judge("outbox-dup-bound").kind, VerdictKind::vacuous);
}

TEST(OutboxSingleRelay, HoldsWhenLeasesEnd) {
    HistoryBuilder run;
    run.follow();
    run.topology().outboxes.front().leader_text = 0;
    run.write_outbox("o-1", 1);
    run.claim(shop_1, "o-1", "a");
    run.wait(31s);
    run.claim(shop_2, "o-1", "b");
    send_confirmed(run, shop_1, "o-1", 0); // it had that in hand
    run.clear(outbox, "o-1", "owner");
    run.clear(outbox, "o-1", "until");
    run.change_row(outbox, "o-1");
    run.claim(shop_1, "o-1", "a"); // given back
    const Verdict verdict = run.judge("outbox-single-relay");
    EXPECT_EQ(verdict.kind, VerdictKind::holds) << verdict.witness;
    EXPECT_EQ(verdict.observations, 1u);
    EXPECT_EQ(vacuous_of("outbox-single-relay"), VerdictKind::vacuous);
}

TEST(OutboxSingleRelay, FindsALeaseThatIsTakenEarly) {
    HistoryBuilder run;
    run.follow();
    run.write_outbox("o-1", 1);
    const std::uint64_t first = run.claim(shop_1, "o-1", "a");
    run.wait(20s);
    const std::uint64_t second = run.claim(shop_2, "o-1", "b");
    const Verdict verdict = run.judge("outbox-single-relay");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("shop/2 takes o-1 of shop-db.outbox from shop/1"));
    EXPECT_THAT(verdict.events, ElementsAre(first - 2, second));
    run.topology().clock_error = 10s; // then it is a clock's fault
    EXPECT_EQ(run.judge("outbox-single-relay").kind, VerdictKind::holds);
}

TEST(OutboxSingleRelay, FindsASenderThatHoldsNothing) {
    HistoryBuilder run;
    run.follow();
    run.topology().outboxes.front().leader_text = 0;
    run.write_outbox("o-1", 1);
    run.claim(shop_1, "o-1", "a");
    send_confirmed(run, shop_2, "o-1", 0);
    const Verdict verdict = run.judge("outbox-single-relay");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("without ever having held it: shop/1 does since"));
}

TEST(OutboxSingleRelay, FindsACursorThatSomebodyElseMoves) {
    HistoryBuilder run;
    run.follow();
    make_leader(run, shop_1, "a");
    move_cursor(run, shop_1, 1);
    run.wait(6s);
    run.commit_of(shop_2);
    run.set(cursor, "relay", "epoch", 2);
    run.set(cursor, "relay", "owner", "b");
    run.change_row(cursor, "relay");
    EXPECT_EQ(run.judge("outbox-single-relay").kind, VerdictKind::holds);
    move_cursor(run, shop_1, 2);
    const Verdict verdict = run.judge("outbox-single-relay");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness,
                HasSubstr("shop/1 moves the cursor in shop-db.outbox_cursor to 2 at "));
    EXPECT_THAT(verdict.witness, HasSubstr("but shop/2 leads since"));
}

TEST(OutboxSingleRelay, FindsALeadWithoutANewEpoch) {
    HistoryBuilder run;
    run.follow();
    make_leader(run, shop_1, "a");
    run.wait(6s);
    run.claim(shop_2, "relay", "b", 5s, cursor);
    EXPECT_THAT(run.judge("outbox-single-relay").witness,
                HasSubstr("without a new epoch: it is 1 as before, so shop/1 is not fenced"));
}

TEST(OutboxDrain, HoldsWhenTheBacklogGoes) {
    HistoryBuilder run;
    run.follow();
    run.begin_fault();
    run.write_outbox("o-1", 1);
    run.wait(90s);
    run.heal();
    run.wait(59s);
    run.remove_row(outbox, "o-1");
    run.write_outbox("o-2", 2);
    run.set(outbox, "o-2", "dead", 1);
    run.change_row(outbox, "o-2");
    run.write_outbox("o-3", 3); // behind a dead one
    run.wait(90s);
    const Verdict verdict = run.judge("outbox-drain");
    EXPECT_EQ(verdict.kind, VerdictKind::holds) << verdict.witness;
    EXPECT_EQ(verdict.observations, 3u);
    EXPECT_EQ(vacuous_of("outbox-drain"), VerdictKind::vacuous);
}

TEST(OutboxDrain, FindsABacklogThatStays) {
    HistoryBuilder run;
    run.follow();
    const std::uint64_t added = run.write_outbox("o-1", 1);
    run.heal();
    run.wait(30s);
    EXPECT_EQ(run.judge("outbox-drain").kind, VerdictKind::holds); // there is time left
    run.wait(31s);
    Verdict verdict = run.judge("outbox-drain");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.events, ElementsAre(added));
    run.remove_row(outbox, "o-1"); // at last
    verdict = run.judge("outbox-drain");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("and it was still not published 61"));
    PropertyOptions patient;
    patient.within = 2min;
    EXPECT_EQ(run.judge("outbox-drain", patient).kind, VerdictKind::holds);
}

TEST(OutboxLag, TellsTheLongestAndFindsWhatIsTooLong) {
    HistoryBuilder run;
    run.accept("o-1");
    run.wait(2s);
    run.store("o-1", "orders/0", 0);
    run.wait(2min);
    run.store("o-1", "orders/0", 1); // a copy
    Verdict verdict = run.judge("outbox-lag");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_THAT(verdict.remark, HasSubstr("the longest lag was 2.001"));
    PropertyOptions strict;
    strict.within = 1s;
    verdict = run.judge("outbox-lag", strict);
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_THAT(verdict.witness, HasSubstr("o-1 was accepted by shop-db.orders at 0.001 s"));
    EXPECT_EQ(HistoryBuilder().judge("outbox-lag").kind, VerdictKind::vacuous);
}

TEST(StuckInProgress, FindsOnlyWhatNobodyTakesOver) {
    HistoryBuilder run;
    run.follow();
    run.write_outbox("o-1", 1);
    run.claim(shop_1, "o-1", "a");
    run.crash(shop_1);
    run.wait(80s);
    run.claim(shop_2, "o-1", "b");
    run.store("o-1", "orders/0", 0);
    run.remove_row(outbox, "o-1");
    run.write_outbox("o-2", 2);
    run.claim(shop_2, "o-2", "b");
    run.wait(80s);                           // and the run is over
    run.record(billing_1, "o-3", "working"); // its owner lives
    run.wait(80s);
    const Verdict verdict = run.judge("stuck-in-progress");
    EXPECT_EQ(verdict.kind, VerdictKind::violated) << "o-2 was claimed and left for 130 s";
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_EQ(verdict.observations, 3u);
    PropertyOptions patient;
    patient.within = 3min;
    EXPECT_EQ(run.judge("stuck-in-progress", patient).kind, VerdictKind::holds);
    EXPECT_EQ(vacuous_of("stuck-in-progress"), VerdictKind::vacuous);
}

TEST(StuckInProgress, FindsAClaimThatNobodyAdopts) {
    HistoryBuilder run;
    run.follow();
    run.write_outbox("o-1", 1);
    run.claim(shop_1, "o-1", "a");
    run.wait(91s);
    run.claim(shop_2, "o-1", "b"); // too late
    const Verdict verdict = run.judge("stuck-in-progress");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("o-1 is in the hands of shop/1 by shop-db.outbox"));
    EXPECT_THAT(verdict.witness, HasSubstr("its lease ended at 30.0"));
}

TEST(StuckInProgress, FindsAMarkerWithoutAnEnd) {
    HistoryBuilder run;
    run.follow();
    run.record(billing_1, "o-1", "working");
    run.crash(billing_1);
    run.wait(61s);
    const Verdict verdict = run.judge("stuck-in-progress");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("o-1 is in the hands of billing/1"));
    EXPECT_THAT(verdict.witness, HasSubstr("which died at"));
}

} // namespace
} // namespace crier::properties::testing_support
