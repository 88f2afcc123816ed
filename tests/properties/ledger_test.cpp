#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Ledger, HoldsWhenEveryEventHasOneFate) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    run.accept("o-2");
    run.park("o-2", "letter-1");
    run.accept("o-3");
    run.settle(billing_2, "o-3", "discarded", "cancelled");
    const Verdict verdict = run.judge("ledger");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 3u);

    Reading reading(run.topology());
    run.read(reading);
    const Ledger& ledger = reading.ledger();
    EXPECT_EQ(ledger.totals(),
              (LedgerCounts{.accepted = 3, .effective = 1, .parked = 1, .discarded = 1}));
    ASSERT_EQ(ledger.by_service().size(), 1u);
    EXPECT_EQ(ledger.by_service()[0].service, "billing");
    EXPECT_EQ(ledger.open(), 0u);
}

TEST(Ledger, IsVacuousWithoutAcceptedEvents) {
    HistoryBuilder run;
    run.effect("o-1");
    EXPECT_EQ(run.judge("ledger").kind, VerdictKind::vacuous);
    PropertyOptions options;
    options.must_observe = true;
    EXPECT_EQ(run.judge("ledger", options).kind, VerdictKind::violated);
}

TEST(Ledger, SaysThatAnEventWasNeverPublished) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    const auto accepted = run.accept("o-2");
    const Verdict verdict = run.judge("ledger");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_EQ(verdict.witness,
              "o-2 was accepted and is unaccounted for at billing: it was never published.");
    EXPECT_THAT(verdict.subjects, ElementsAre(run.name("o-2")));
    EXPECT_THAT(verdict.events, ElementsAre(accepted));
    ASSERT_TRUE(verdict.subscriber);
    EXPECT_EQ(verdict.subscriber->service, "billing");
}

TEST(Ledger, SaysHowOftenAShareGroupDeliveredWhatHasNoFate) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    for (std::uint64_t count = 1; count <= 5; ++count)
        run.share(billing_1, "orders/0", 0, count);
    EXPECT_THAT(run.judge("ledger").witness, HasSubstr("came to no end in 5 deliveries."));
}

TEST(Ledger, SaysHowFarAnUnaccountedEventCame) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    EXPECT_THAT(run.judge("ledger").witness,
                HasSubstr("orders/0 offset 0, and was never received"));
    run.deliver(billing_1, "orders/0", 0, 1);
    EXPECT_THAT(run.judge("ledger").witness, HasSubstr("no attempt was made."));
    run.attempt(billing_1, "o-1");
    EXPECT_THAT(run.judge("ledger").witness, HasSubstr("still being handled"));
    const auto commit = run.commit("orders/0", 1);
    const Verdict dropped = run.judge("ledger");
    EXPECT_THAT(dropped.witness, HasSubstr("consumed and dropped: it was attempted"));
    EXPECT_EQ(dropped.events.back(), commit);
    run.settle(billing_1, "o-1", "done");
    EXPECT_THAT(run.judge("ledger").witness, HasSubstr("called done, but it has no durable"));
    run.effect("o-1");
    run.lose_effect("o-1");
    EXPECT_THAT(run.judge("ledger").witness, HasSubstr("gone with a power loss"));
    run.effect("o-1");
    run.fail_over_effect("o-1");
    EXPECT_THAT(run.judge("ledger").witness, HasSubstr("gone with a fail-over"));
}

TEST(Ledger, SaysThatADeadLetterNeverCame) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    run.try_in_vain(billing_1, "o-1", 1);
    run.settle(billing_1, "o-1", "parked", "card declined");
    EXPECT_THAT(run.judge("ledger").witness, HasSubstr("no dead letter of it is stored"));
}

TEST(Ledger, SaysThatTheBrokerLostTheRecord) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 5);
    const auto lost = run.lose_records("orders/0", 5, 5);
    const Verdict verdict = run.judge("ledger");
    EXPECT_THAT(verdict.witness, HasSubstr("the broker lost that record"));
    EXPECT_EQ(verdict.events.back(), lost);
}

TEST(Ledger, TakesADiscardWithoutAReasonForALoss) {
    HistoryBuilder run;
    run.accept("o-1");
    run.settle(billing_1, "o-1", "discarded");
    EXPECT_EQ(run.judge("ledger").kind, VerdictKind::violated);
}

TEST(Ledger, CountsAnotherServicesFatesForItself) {
    HistoryBuilder run;
    Subscriber shipping = run.topology().subscribers[0];
    shipping.service = shipping.group = "shipping";
    shipping.service_text = shipping.group_text = run.name("shipping");
    shipping.effects_table = "shipping-db.parcels";
    shipping.effects_table_text = run.name("shipping-db.parcels");
    shipping.nodes = {};
    run.topology().subscribers.push_back(shipping);
    run.topology().flows[0].subscribers = {0, 1};
    bill(run, "o-1", 0);
    EXPECT_THAT(run.judge("ledger").witness, HasSubstr("unaccounted for at shipping"));
    run.park("o-1", "letter-1", "shipping");
    EXPECT_EQ(run.judge("ledger").kind, VerdictKind::holds);
    EXPECT_EQ(run.judge("ledger").observations, 2u);
}

TEST(Ledger, FindsTwoFates) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    const auto parked = run.park("o-1", "letter-1");
    const Verdict verdict = run.judge("ledger");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("it took effect and it was parked"));
    EXPECT_EQ(verdict.events.back(), parked);
    EXPECT_EQ(verdict.violations, 1u);
}

TEST(Ledger, AllowsASecondFateAfterTheFirstWasLost) {
    HistoryBuilder run;
    run.accept("o-1");
    run.effect("o-1");
    run.lose_effect("o-1");
    run.park("o-1", "letter-1");
    EXPECT_EQ(run.judge("ledger").kind, VerdictKind::holds);
}

TEST(Ledger, StrikesEventsWhoseRowWasLost) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    run.accept("o-2");
    run.lose_accepted("o-2");
    EXPECT_EQ(run.judge("ledger").kind, VerdictKind::holds);
    run.accept("o-2");
    EXPECT_EQ(run.judge("ledger").kind, VerdictKind::violated);
}

TEST(Ledger, AcceptsWhatIsStoredWhereThereIsNoTable) {
    HistoryBuilder run;
    run.make_direct();
    run.store("o-1", "orders/0", 0);
    run.store("o-1", "orders/0", 1);
    const Verdict verdict = run.judge("ledger");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.observations, 1u);
    run.effect("o-1");
    EXPECT_EQ(run.judge("ledger").kind, VerdictKind::holds);
}

TEST(Ledger, IsInconclusiveAboutWhatIsOpenWhenTheRunWasCut) {
    HistoryBuilder run;
    run.accept("o-1");
    RunEnd end = run.end();
    end.cut = true;
    EXPECT_EQ(run.judge("ledger", {}, end).kind, VerdictKind::inconclusive);
    run.effect("o-1");
    run.park("o-1", "letter-1");
    EXPECT_EQ(run.judge("ledger", {}, end).kind, VerdictKind::violated);
}

TEST(Ledger, KnowsWhenItLastMoved) {
    HistoryBuilder run;
    run.accept("o-1");
    run.commit("orders/0", 4);
    const Instant moved = run.end().time;
    run.commit("orders/0", 4);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.attempt(billing_1, "o-1");
    Reading reading(run.topology());
    run.read(reading);
    const Ledger& ledger = reading.ledger();
    EXPECT_EQ(ledger.last_moved(), moved);
}

} // namespace
} // namespace crier::properties::testing_support
