#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(OutboxNoMissing, HoldsWhenEverythingAcceptedIsStored) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    run.accept("o-2");
    run.lose_accepted("o-2");
    const Verdict verdict = run.judge("outbox-no-missing");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 1u);
    EXPECT_EQ(HistoryBuilder().judge("outbox-no-missing").kind, VerdictKind::vacuous);
}

TEST(OutboxNoMissing, FindsAnEventThatWasNotPublished) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    const auto accepted = run.accept("o-2");
    run.store("o-2", "orders-dead/0", 0);
    const Verdict verdict = run.judge("outbox-no-missing");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(
        verdict.witness,
        HasSubstr("o-2 is in shop-db.orders since 0.008 s and was not published to orders"));
    EXPECT_THAT(verdict.events, ElementsAre(accepted));
    RunEnd end = run.end();
    end.cut = true;
    EXPECT_EQ(run.judge("outbox-no-missing", {}, end).kind, VerdictKind::inconclusive);
}

TEST(OutboxNoPhantom, HoldsWhenRowsComeFirst) {
    HistoryBuilder run;
    bill(run, "o-1", 0);
    run.store("o-1", "orders/0", 1);
    run.accept("o-2");
    run.lose_accepted("o-2"); // before it was published
    const Verdict verdict = run.judge("outbox-no-phantom");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.observations, 2u);
    EXPECT_EQ(HistoryBuilder().judge("outbox-no-phantom").kind, VerdictKind::vacuous);
}

TEST(OutboxNoPhantom, FindsAnEventWithoutARow) {
    HistoryBuilder run;
    const auto stored = run.store("o-1", "orders/0", 0);
    run.store("o-1", "orders/0", 1);
    const Verdict verdict = run.judge("outbox-no-phantom");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_EQ(verdict.witness, "o-1 was stored in orders at 0.001 s, but no row of it was ever "
                               "durable in shop-db.orders.");
    EXPECT_THAT(verdict.events, ElementsAre(stored));
}

TEST(OutboxNoPhantom, FindsAnEventBeforeItsRow) {
    HistoryBuilder run;
    const auto stored = run.store("o-1", "orders/0", 0);
    const auto accepted = run.accept("o-1");
    const Verdict verdict = run.judge("outbox-no-phantom");
    EXPECT_THAT(verdict.witness,
                HasSubstr("before its row in shop-db.orders was durable at 0.002 s"));
    EXPECT_THAT(verdict.events, ElementsAre(stored, accepted));
}

TEST(OutboxNoPhantom, FindsAnEventWhoseRowWasLost) {
    HistoryBuilder run;
    run.accept("o-1");
    const auto stored = run.store("o-1", "orders/0", 0);
    const auto lost = run.lose_accepted("o-1");
    run.accept("o-1");
    const Verdict verdict = run.judge("outbox-no-phantom");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("is gone since a power loss"));
    EXPECT_THAT(verdict.events, ElementsAre(stored, lost));
}

TEST(OutboxNoPhantom, FindsAnEventWhoseRowAFailOverTookBack) {
    HistoryBuilder run;
    run.accept("o-1");
    run.store("o-1", "orders/0", 0);
    run.fail_over_accepted("o-1");
    EXPECT_THAT(run.judge("outbox-no-phantom").witness, HasSubstr("is gone since a fail-over"));
}

TEST(OutboxNoPhantom, AcceptsTheRowsOfEitherProducer) {
    HistoryBuilder run;
    run.topology().flows.push_back({"web-db.orders", run.name("web-db.orders"), 0, {0}});
    bill(run, "o-1", 0);
    EXPECT_EQ(run.judge("outbox-no-phantom").kind, VerdictKind::holds);
    run.store("o-2", "orders/0", 1);
    EXPECT_EQ(run.judge("outbox-no-phantom").violations, 1u);
}

TEST(OutboxNoPhantom, DoesNotJudgeChannelsWithoutATable) {
    HistoryBuilder run;
    run.make_direct();
    run.store("o-1", "orders/0", 0);
    EXPECT_EQ(run.judge("outbox-no-phantom").kind, VerdictKind::vacuous);
}

} // namespace
} // namespace crier::properties::testing_support
