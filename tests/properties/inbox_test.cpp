#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

// What a service remembers of messages, and what it does with copies.

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::string_view inbox = "billing-db.inbox/billing";

/// The record and the effect of a message in one transaction.
void handle(HistoryBuilder& run, std::uint32_t node, std::string_view id) {
    run.attempt(node, id);
    run.record(node, id);
    run.effect_too(id);
    run.settle(node, id, "done");
}

VerdictKind vacuous_of(std::string_view property) {
    HistoryBuilder run;
    bill(run, "o-1", 0); // without an inbox
    return run.judge(property).kind;
}

TEST(InboxAtomic, HoldsWhenBothAreOneCommit) {
    HistoryBuilder run;
    run.follow();
    run.accept("o-1");
    handle(run, billing_1, "o-1");
    run.commit_of(billing_1, billing_db); // the other way round
    run.effect_too("o-2");
    run.set(inbox, "o-2", "status", "done");
    run.add_row(inbox, "o-2", "");
    const Verdict verdict = run.judge("inbox-atomic");
    EXPECT_EQ(verdict.kind, VerdictKind::holds) << verdict.witness;
    EXPECT_EQ(verdict.observations, 2u);
    EXPECT_EQ(vacuous_of("inbox-atomic"), VerdictKind::vacuous);
}

TEST(InboxAtomic, FindsARecordThatCommitsBefore) {
    HistoryBuilder run;
    run.follow();
    run.accept("o-1");
    const std::uint64_t record = run.record(billing_1, "o-1");
    run.commit_of(billing_1, billing_db);
    const std::uint64_t effect = run.effect_too("o-1");
    const Verdict verdict = run.judge("inbox-atomic");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("o-1 took effect in billing-db.charges at "));
    EXPECT_THAT(verdict.witness, HasSubstr("billing-db.inbox/billing: an earlier one has."));
    EXPECT_THAT(verdict.events, ElementsAre(record, effect));
}

TEST(InboxAtomic, FindsARecordThatCommitsAfter) {
    HistoryBuilder run;
    run.follow();
    run.accept("o-1");
    run.record(billing_1, "o-1", "working");
    run.commit_of(billing_1, billing_db);
    run.effect_too("o-1");
    run.commit_of(billing_1, billing_db);
    run.set(inbox, "o-1", "status", "done");
    run.change_row(inbox, "o-1");
    EXPECT_THAT(run.judge("inbox-atomic").witness, HasSubstr("none has until now"));
}

TEST(ZombieRecord, HoldsForOneFateEach) {
    HistoryBuilder run;
    run.follow();
    run.accept("o-1");
    handle(run, billing_1, "o-1");
    run.accept("o-2");
    run.record(billing_1, "o-2", "parking");
    run.park("o-2", "letter-1");
    run.park("o-2", "letter-1");
    run.set(inbox, "o-2", "status", "parked");
    run.change_row(inbox, "o-2");
    run.park("o-1", "letter-2", "shipping");
    const Verdict verdict = run.judge("zombie-record");
    EXPECT_EQ(verdict.kind, VerdictKind::holds) << verdict.witness;
    EXPECT_EQ(verdict.observations, 1u);
    EXPECT_EQ(vacuous_of("zombie-record"), VerdictKind::vacuous);
}

TEST(ZombieRecord, FindsALetterOfWhatIsDone) {
    HistoryBuilder run;
    run.follow();
    run.accept("o-1");
    const std::uint64_t record = run.record(billing_1, "o-1");
    const std::uint64_t letter = run.park("o-1", "letter-1");
    const Verdict verdict = run.judge("zombie-record");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("o-1 is dead-lettered for billing and is done by "));
    EXPECT_THAT(verdict.events, ElementsAre(record, letter));
    HistoryBuilder after;
    after.follow();
    after.accept("o-1");
    after.park("o-1", "letter-1");
    after.record(billing_1, "o-1");
    EXPECT_EQ(after.judge("zombie-record").violations, 1u);
    HistoryBuilder lost;
    lost.follow();
    lost.accept("o-1");
    lost.record(billing_1, "o-1");
    lost.lose_row(inbox, "o-1");
    lost.park("o-1", "letter-1");
    EXPECT_EQ(lost.judge("zombie-record").kind, VerdictKind::holds);
}

TEST(DedupConcurrent, HoldsForCopiesOneAfterTheOther) {
    HistoryBuilder run;
    run.accept("o-1");
    run.attempt(billing_1, "o-1");
    run.attempt(billing_2, "o-1"); // at once, and one of them takes effect
    run.effect_by(billing_1, "o-1");
    run.accept("o-2");
    run.attempt(billing_1, "o-2");
    run.effect_by(billing_1, "o-2");
    run.attempt(billing_2, "o-2"); // later
    run.effect_by(billing_2, "o-2");
    run.accept("o-3");
    run.attempt(billing_1, "o-3");
    run.attempt(billing_2, "o-3");
    run.effect_by(billing_1, "o-3");
    run.lose_effect("o-3");
    run.effect_by(billing_2, "o-3");
    const Verdict verdict = run.judge("dedup-concurrent");
    EXPECT_EQ(verdict.kind, VerdictKind::holds) << verdict.witness;
    EXPECT_EQ(verdict.observations, 4u);
    EXPECT_EQ(HistoryBuilder().judge("dedup-concurrent").kind, VerdictKind::vacuous);
}

TEST(DedupConcurrent, FindsTwoThatBothApply) {
    HistoryBuilder run;
    run.accept("o-1");
    run.attempt(billing_1, "o-1");
    run.attempt(billing_2, "o-1");
    const std::uint64_t first = run.effect_by(billing_1, "o-1");
    const std::uint64_t second = run.effect_by(billing_2, "o-1");
    const Verdict verdict = run.judge("dedup-concurrent");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("billing/2 and billing/1 had o-1 in work at once"));
    EXPECT_THAT(verdict.events, ElementsAre(first, second));
}

TEST(DedupKeyScope, HoldsForCopies) {
    HistoryBuilder run;
    run.follow();
    run.accept("o-1");
    handle(run, billing_1, "o-1");
    run.settle(billing_2, "o-1", "duplicate");
    run.accept("o-2");
    run.settle(billing_2, "o-2", "duplicate"); // told before the other's commit
    handle(run, billing_1, "o-2");
    run.accept("o-3");
    run.park("o-3", "letter-1");
    run.settle(billing_2, "o-3", "duplicate");
    run.accept("o-4"); // its own record: lost, but not to another message
    run.record(billing_1, "o-4");
    run.settle(billing_2, "o-4", "duplicate");
    const Verdict verdict = run.judge("dedup-key-scope");
    EXPECT_EQ(verdict.kind, VerdictKind::holds) << verdict.witness;
    EXPECT_EQ(verdict.observations, 4u);
    EXPECT_EQ(vacuous_of("dedup-key-scope"), VerdictKind::vacuous);
}

TEST(DedupKeyScope, FindsAMessageThatAnotherSwallowed) {
    HistoryBuilder run;
    run.follow();
    run.accept("o-1");
    handle(run, billing_1, "o-1");
    run.accept("o-2");
    const std::uint64_t dropped = run.settle(billing_1, "o-2", "duplicate");
    const Verdict verdict = run.judge("dedup-key-scope");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("billing/1 dropped o-2 as a copy at "));
    EXPECT_THAT(verdict.events, ElementsAre(dropped));
}

TEST(DedupWindowBound, HoldsWithinTheWindow) {
    HistoryBuilder run;
    run.follow(false, 60s);
    run.accept("o-1");
    handle(run, billing_1, "o-1");
    run.wait(50s);
    run.receive(billing_2, "o-1", "orders/0", 0);
    run.settle(billing_2, "o-1", "duplicate");
    const Verdict verdict = run.judge("dedup-window-bound");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 1u);
    EXPECT_THAT(verdict.remark, HasSubstr("the oldest copy came 50."));
    EXPECT_EQ(vacuous_of("dedup-window-bound"), VerdictKind::vacuous);
}

TEST(DedupWindowBound, FindsACopyThatComesTooLate) {
    HistoryBuilder run;
    run.follow(false, 60s);
    run.accept("o-1");
    handle(run, billing_1, "o-1");
    run.wait(61s);
    run.receive(billing_2, "o-1", "orders/0", 0);
    handle(run, billing_2, "o-1");
    const Verdict verdict = run.judge("dedup-window-bound");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_THAT(verdict.witness, HasSubstr("and a copy arrived 61."));
    EXPECT_THAT(verdict.witness, HasSubstr("it is remembered for"));
}

TEST(DedupWindowBound, FindsASecondEffectWithinTheWindow) {
    HistoryBuilder run;
    run.follow();
    run.accept("o-1");
    handle(run, billing_1, "o-1");
    run.wait(30s);
    run.receive(billing_2, "o-1", "orders/0", 0);
    run.effect_by(billing_2, "o-1");
    const Verdict verdict = run.judge("dedup-window-bound");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("although it should be remembered for ever"));
}

TEST(ExternalCallSafe, HoldsForOneKeyAMessage) {
    HistoryBuilder run;
    run.call_out(billing_1, "o-1", "o-1");
    run.call_out(billing_2, "o-1", "o-1");
    run.call_out(billing_1, "o-2", ""); // once
    run.call_out(shop_1, "o-2", "");    // another service's
    const Verdict verdict = run.judge("external-call-safe");
    EXPECT_EQ(verdict.kind, VerdictKind::holds) << verdict.witness;
    EXPECT_EQ(verdict.observations, 3u);
    EXPECT_EQ(vacuous_of("external-call-safe"), VerdictKind::vacuous);
}

TEST(ExternalCallSafe, FindsARepetitionThatNobodyCanKnow) {
    HistoryBuilder run;
    const std::uint64_t first = run.call_out(billing_1, "o-1", "a");
    const std::uint64_t second = run.call_out(billing_2, "o-1", "b");
    Verdict verdict = run.judge("external-call-safe");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("under another key: a and then b"));
    EXPECT_THAT(verdict.events, ElementsAre(first, second));
    HistoryBuilder unkeyed;
    unkeyed.call_out(billing_1, "o-1", "");
    unkeyed.call_out(billing_1, "o-1", "");
    EXPECT_THAT(unkeyed.judge("external-call-safe").witness,
                HasSubstr("without an idempotency key"));
}

} // namespace
} // namespace crier::properties::testing_support
