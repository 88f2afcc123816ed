#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PropertyOptions ordered(OrderMode mode) {
    PropertyOptions options;
    options.order = mode;
    return options;
}

TEST(PerKeyEffectOrder, HoldsInTheOrderOfAcceptancePerKey) {
    HistoryBuilder run;
    run.accept("o-1", "customer-1");
    run.accept("o-2", "customer-2");
    run.accept("o-3", "customer-1");
    run.effect("o-2");
    run.effect("o-1");
    run.effect("o-3");
    run.effect("o-1");
    const Verdict verdict = run.judge("per-key-effect-order");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 3u);
    EXPECT_EQ(HistoryBuilder().judge("per-key-effect-order").kind, VerdictKind::vacuous);
    EXPECT_EQ(run.judge("per-key-effect-order", ordered(OrderMode::strict)).kind,
              VerdictKind::holds);
}

TEST(PerKeyEffectOrder, FindsALaterEventThatTookEffectFirst) {
    HistoryBuilder run;
    run.accept("o-1");
    run.accept("o-2");
    const auto early = run.effect("o-2");
    const auto late = run.effect("o-1");
    const Verdict verdict = run.judge("per-key-effect-order");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness,
              "o-1 was accepted before o-2 (both of customer-1), but for billing o-2 took effect "
              "first, at 0.003 s; o-1 followed at 0.004 s.");
    EXPECT_THAT(verdict.subjects, ElementsAre(run.name("o-1"), run.name("o-2")));
    EXPECT_THAT(verdict.events, ElementsAre(early, late));
    EXPECT_EQ(run.judge("per-key-effect-order", ordered(OrderMode::none)).kind,
              VerdictKind::vacuous);
}

TEST(PerKeyEffectOrder, DoesNotOrderEventsWithoutAKey) {
    HistoryBuilder run;
    run.accept("o-1", "");
    run.accept("o-2", "");
    run.effect("o-2");
    run.effect("o-1");
    EXPECT_EQ(run.judge("per-key-effect-order").kind, VerdictKind::vacuous);
}

TEST(PerKeyEffectOrder, LetsParkedEventsLeaveTheOrderUnlessStrict) {
    HistoryBuilder run;
    run.accept("o-1");
    run.accept("o-2");
    run.park("o-1", "letter-1");
    run.effect("o-2");
    run.effect("o-1"); // redriven
    EXPECT_EQ(run.judge("per-key-effect-order").kind, VerdictKind::holds);
    const Verdict strict = run.judge("per-key-effect-order", ordered(OrderMode::strict));
    EXPECT_EQ(strict.kind, VerdictKind::violated);
    EXPECT_THAT(strict.subjects, ElementsAre(run.name("o-1"), run.name("o-2")));
}

TEST(PerKeyEffectOrder, LetsDiscardedEventsLeaveAnyOrder) {
    HistoryBuilder run;
    run.accept("o-1");
    run.effect("o-1");
    run.accept("o-2");
    run.accept("o-3");
    run.settle(billing_1, "o-2", "discarded", "cancelled");
    run.effect("o-3");
    EXPECT_EQ(run.judge("per-key-effect-order", ordered(OrderMode::strict)).kind,
              VerdictKind::holds);
}

TEST(PerKeyEffectOrder, CountsAnEffectOnlyOnceItStays) {
    HistoryBuilder run;
    run.accept("o-1");
    run.accept("o-2");
    run.accept("o-3");
    run.effect("o-1");
    run.effect("o-2");
    run.lose_effect("o-2");
    run.lose_effect("o-1");
    run.effect("o-1");
    run.effect("o-2");
    EXPECT_EQ(run.judge("per-key-effect-order").kind, VerdictKind::holds);
    run.lose_effect("o-2");
    run.effect("o-3");
    run.effect("o-2");
    EXPECT_EQ(run.judge("per-key-effect-order").kind, VerdictKind::violated);
}

TEST(PerKeyEffectOrder, OrdersAReacceptedEventByItsLastAcceptance) {
    HistoryBuilder run;
    run.accept("o-1");
    run.lose_accepted("o-1");
    run.accept("o-2");
    run.accept("o-1");
    run.effect("o-2");
    run.effect("o-1");
    EXPECT_EQ(run.judge("per-key-effect-order").kind, VerdictKind::holds);
}

TEST(PerKeyEffectOrder, FindsAnEffectBeforeItsEventWasAccepted) {
    HistoryBuilder run;
    run.effect("o-2");
    run.accept("o-1");
    run.effect("o-1");
    run.accept("o-2");
    EXPECT_EQ(run.judge("per-key-effect-order").kind, VerdictKind::violated);
}

TEST(PerKeyEffectOrder, TakesTheStoredOrderWhereThereIsNoTable) {
    HistoryBuilder run;
    run.make_direct();
    run.store("o-1", "orders/0", 0);
    run.store("o-2", "orders/0", 1);
    run.store("o-1", "orders/0", 2);
    run.effect("o-1");
    run.effect("o-2");
    EXPECT_EQ(run.judge("per-key-effect-order").kind, VerdictKind::holds);
    run.store("o-3", "orders/0", 3);
    run.store("o-4", "orders/0", 4);
    run.effect("o-4");
    run.effect("o-3");
    EXPECT_EQ(run.judge("per-key-effect-order").kind, VerdictKind::violated);
}

TEST(OutboxOrderPerKey, HoldsInTheOrderOfAcceptance) {
    HistoryBuilder run;
    run.accept("o-1");
    run.accept("o-2");
    run.store("o-1", "orders/0", 0);
    run.store("o-2", "orders/0", 1);
    run.store("o-1", "orders/0", 2); // sent again
    const Verdict verdict = run.judge("outbox-order-per-key");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 2u);
    EXPECT_EQ(HistoryBuilder().judge("outbox-order-per-key").kind, VerdictKind::vacuous);
}

TEST(OutboxOrderPerKey, FindsALaterEventThatWasStoredFirst) {
    HistoryBuilder run;
    run.accept("o-1");
    run.accept("o-2");
    run.accept("p-1", "customer-2");
    run.store("p-1", "orders/1", 0, "customer-2");
    const auto early = run.store("o-2", "orders/0", 0);
    const auto late = run.store("o-1", "orders/0", 1);
    const Verdict verdict = run.judge("outbox-order-per-key");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_THAT(verdict.subjects, ElementsAre(run.name("o-1"), run.name("o-2")));
    EXPECT_THAT(verdict.events, ElementsAre(early, late));
    EXPECT_THAT(verdict.witness, HasSubstr("in orders o-2 was stored first, at 0.005 s"));
}

TEST(KeyAffinity, HoldsWithOneRecordKeyPerAggregate) {
    HistoryBuilder run;
    run.accept("o-1", "customer-1");
    run.accept("o-2", "customer-1");
    run.accept("o-3", "customer-2");
    run.store("o-1", "orders/0", 0, "customer-1");
    run.store("o-2", "orders/0", 1, "customer-1");
    run.store("o-3", "orders/1", 0, "customer-2");
    const Verdict verdict = run.judge("key-affinity");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 3u);
    EXPECT_EQ(HistoryBuilder().judge("key-affinity").kind, VerdictKind::vacuous);
}

TEST(KeyAffinity, FindsTwoRecordKeysOfOneAggregate) {
    HistoryBuilder run;
    run.accept("o-1");
    run.accept("o-2");
    const auto first = run.store("o-1", "orders/0", 0, "o-1");
    const auto second = run.store("o-2", "orders/1", 0, "o-2");
    const Verdict verdict = run.judge("key-affinity");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness,
              "o-1 and o-2 both concern customer-1, but are stored with key o-1 and "
              "with key o-2: nothing keeps them in one partition, or in order.");
    EXPECT_THAT(verdict.events, ElementsAre(first, second));
}

TEST(KeyAffinity, FindsEventsWithoutARecordKey) {
    HistoryBuilder run;
    run.accept("o-1");
    run.accept("o-2");
    run.store("o-1", "orders/0", 0, "");
    run.store("o-1", "orders/0", 1, "");
    EXPECT_EQ(run.judge("key-affinity").kind, VerdictKind::holds);
    run.store("o-2", "orders/1", 0, "");
    EXPECT_THAT(run.judge("key-affinity").witness, HasSubstr("without a key"));
}

TEST(KeyAffinity, JudgesCopiesThatWereStoredBeforeTheirRow) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0, "customer-1");
    run.store("o-2", "orders/1", 0, "o-2");
    EXPECT_EQ(run.judge("key-affinity").kind, VerdictKind::holds);
    run.accept("o-2");
    EXPECT_EQ(run.judge("key-affinity").kind, VerdictKind::violated);
}

} // namespace
} // namespace crier::properties::testing_support
