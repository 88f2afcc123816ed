// What Kafka promises of transactions, judged by what brokers did.
#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

TEST(MarkerIdentity, KnowsTheTransactionThatTheClientMeant) {
    HistoryBuilder run;
    run.take_id("copier-1", 0);
    run.begin_transaction(shop_1, "shop/1#1");
    run.decide("copier-1", 0, "commit", "shop/1#1");
    run.begin_transaction(shop_1, "shop/1#2");
    run.decide("copier-1", 1, "abort"); // its time was over
    run.crash(shop_1);
    run.begin_transaction(shop_1, "shop/1-2#1"); // the next life
    run.begin_transaction(billing_1, "billing/1#1", "other");
    run.decide("copier-1", 2, "commit", "shop/1-2#1");
    EXPECT_EQ(run.judge("marker-identity").kind, VerdictKind::holds);
    EXPECT_EQ(run.judge("marker-identity").observations, 2u);
    EXPECT_EQ(HistoryBuilder().judge("marker-identity").kind, VerdictKind::vacuous);
}

TEST(MarkerIdentity, NamesTheTransactionThatWasEndedInstead) {
    HistoryBuilder run;
    run.begin_transaction(shop_1, "shop/1#1");
    run.decide("copier-1", 0, "commit", "shop/1#1");
    const auto begun = run.begin_transaction(shop_1, "shop/1#2");
    const auto decided = run.decide("copier-1", 0, "commit", "shop/1#1");
    const Verdict verdict = run.judge("marker-identity");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "The request to commit shop/1#1 was executed at 0.004 s, when its "
                               "producer had begun shop/1#2.");
    EXPECT_THAT(verdict.events, ElementsAre(begun, decided));
}

TEST(MarkerIdentity, MindsTheLateEndOfADeadLife) {
    HistoryBuilder run;
    run.begin_transaction(shop_1, "shop/1#1");
    run.restart(shop_1);
    run.begin_transaction(shop_1, "shop/1-2#1");
    run.decide("copier-1", 0, "commit", "shop/1#1");
    EXPECT_EQ(run.judge("marker-identity").kind, VerdictKind::violated);
}

TEST(TxnAtomic, HoldsWhenAllPartitionsHaveTheSameVerdict) {
    HistoryBuilder run;
    run.write_in("t#1", "orders/0");
    run.write_in("t#1", "__consumer_offsets/3");
    run.mark("t#1", "orders/0", "commit");
    run.mark("t#1", "__consumer_offsets/3", "commit");
    run.write_in("t#2", "orders/0");
    run.write_in("t#2", "orders/1");
    run.mark("t#2", "orders/1", "abort");
    run.mark("t#2", "orders/0", "abort");
    run.write_in("t#3", "orders/0"); // open at the end, but nobody sees any of it
    EXPECT_EQ(run.judge("txn-atomic").kind, VerdictKind::holds);
    EXPECT_EQ(run.judge("txn-atomic").observations, 2u);
    EXPECT_EQ(HistoryBuilder().judge("txn-atomic").kind, VerdictKind::vacuous);
}

TEST(TxnAtomic, NamesWhatWasCommittedAndWhatAborted) {
    HistoryBuilder run;
    run.write_in("t#1", "orders/0");
    run.write_in("t#1", "orders/1");
    const auto committed = run.mark("t#1", "orders/0", "commit");
    const auto aborted = run.mark("t#1", "orders/1", "abort");
    const Verdict verdict = run.judge("txn-atomic");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "Of t#1 what is in orders/0 was committed and what is in orders/1 "
                               "aborted.");
    EXPECT_THAT(verdict.events, ElementsAre(committed, aborted));
}

// A late request committed what was there; what followed was of the same transaction, to its
// client.
TEST(TxnAtomic, IsJudgedByWhatTheClientTookForOneTransaction) {
    HistoryBuilder run;
    run.write_in("t#2", "orders/0");
    run.mark("t#2", "orders/0", "commit");
    run.write_in("t#2", "orders/0");
    run.mark("t#2", "orders/0", "abort");
    EXPECT_EQ(run.judge("txn-atomic").kind, VerdictKind::violated);
}

TEST(TxnAtomic, MissesAtTheEndWhatNeverBecameVisible) {
    HistoryBuilder run;
    run.write_in("t#1", "orders/0");
    run.write_in("t#1", "orders/1");
    run.mark("t#1", "orders/0", "commit");
    const Verdict verdict = run.judge("txn-atomic");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "Of t#1 what is in orders/0 was committed and what is in orders/1 "
                               "never became visible.");
    RunEnd cut = run.end();
    cut.cut = true;
    EXPECT_EQ(run.judge("txn-atomic", {}, cut).kind, VerdictKind::inconclusive);
    run.lose_records("orders/1", 0, 3);
    EXPECT_EQ(run.judge("txn-atomic").kind, VerdictKind::holds) << "another property's matter";
}

TEST(TxnAtomic, CountsTheOffsetsThatItsClientSent) {
    HistoryBuilder run;
    run.write_in("t#1", "orders/0");
    run.send_offsets("t#1");
    run.write_in("t#1", "__consumer_offsets/3");
    run.mark("t#1", "orders/0", "commit");
    run.mark("t#1", "__consumer_offsets/3", "commit");
    run.send_offsets("t#2"); // refused, and nothing else committed
    EXPECT_EQ(run.judge("txn-atomic").kind, VerdictKind::holds);
    run.write_in("t#3", "orders/0");
    const auto late = run.send_offsets("t#3");
    const auto committed = run.mark("t#3", "orders/0", "commit");
    const Verdict verdict = run.judge("txn-atomic");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "Of t#3 what is in orders/0 was committed and the offsets that its "
                               "client sent were not.");
    EXPECT_THAT(verdict.events, ElementsAre(late, committed));
    run.lose_records("__consumer_offsets/3", 0, 3);
    EXPECT_EQ(run.judge("txn-atomic").kind, VerdictKind::holds) << "they may have been lost";
}

TEST(TxnAtomic, TakesNoPartitionForTheCommitsBecauseItIsNotKnown) {
    HistoryBuilder run;
    run.write_in("t#1", "orders/4");
    run.send_offsets("t#1");
    run.mark("t#1", "orders/4", "commit");
    run.lose_records("orders/4", 0, 1);
    EXPECT_EQ(run.judge("txn-atomic").kind, VerdictKind::violated);
}

TEST(ProducerFencing, HoldsForTheOwnerAndForWhatEndedBeforeTheNext) {
    HistoryBuilder run;
    run.take_id("copier-1", 0);
    run.write_in("t#1", "orders/0", 0);
    run.mark("t#1", "orders/0", "abort", 1); // the fence
    run.take_id("copier-1", 2);
    run.write_in("t#2", "orders/0", 2);
    run.mark("t#2", "orders/0", "commit", 2);
    run.write_in("t#3", "orders/0", 0, 99); // of an id that came with the end of a transaction
    EXPECT_EQ(run.judge("producer-fencing").kind, VerdictKind::holds);
    EXPECT_EQ(run.judge("producer-fencing").observations, 5u);
    EXPECT_EQ(HistoryBuilder().judge("producer-fencing").kind, VerdictKind::vacuous);
}

TEST(ProducerFencing, NamesWhatAnOldOwnerWrote) {
    HistoryBuilder run;
    run.take_id("copier-1", 0);
    const auto taken = run.take_id("copier-1", 1);
    const auto written = run.write_in("t#1", "orders/0", 0);
    const Verdict verdict = run.judge("producer-fencing");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "orders/0 took records of a producer with epoch 0 at 0.003 s, when "
                               "copier-1 belonged to one with epoch 1.");
    EXPECT_THAT(verdict.events, ElementsAre(taken, written));
}

TEST(ProducerFencing, MindsWhatAPartitionHasHeardOf) {
    HistoryBuilder run;
    run.write_in("t#1", "orders/0", 0);
    run.mark("t#1", "orders/0", "abort", 1); // by the coordinator: its time was over
    run.write_in("t#2", "orders/1", 0);
    EXPECT_EQ(run.judge("producer-fencing").kind, VerdictKind::holds);
    run.write_in("t#2", "orders/0", 0);
    const Verdict verdict = run.judge("producer-fencing");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "orders/0 took records of a producer with epoch 0 at 0.004 s, after "
                               "it had heard of epoch 1.");
    run.lose_records("orders/0", 0, 9);
    run.write_in("t#3", "orders/0", 0);
    EXPECT_EQ(run.judge("producer-fencing").violations, 1u);
}

TEST(ProducerFencing, KnowsOldProducerIdsAndOldMarkers) {
    HistoryBuilder run;
    run.take_id("copier-1", 32000, 7);
    run.write_in("t#1", "orders/0", 32000, 7);
    run.take_id("copier-1", 0, 8); // its epochs were used up
    run.mark("t#1", "orders/0", "commit", 32000);
    EXPECT_EQ(run.judge("producer-fencing").violations, 1u);
    run.write_in("t#1", "orders/1", 32000, 7);
    EXPECT_EQ(run.judge("producer-fencing").violations, 2u);
}

TEST(HangingTxn, HasItsTimeoutAndTheCoordinatorsPeriod) {
    HistoryBuilder run;
    run.take_id("copier-1", 0, 7, 10s);
    run.write_in("t#1", "orders/0");
    run.wait(49s);
    run.mark("t#1", "orders/0", "abort", 1);
    run.write_in("t#2", "orders/0");
    run.begin_fault();
    run.wait(100s);
    run.heal(); // the coordinator was away
    run.wait(49s);
    run.mark("t#2", "orders/0", "abort", 1);
    run.write_in("t#3", "orders/0");
    run.wait(49s);
    EXPECT_EQ(run.judge("hanging-txn").kind, VerdictKind::holds);
    EXPECT_EQ(run.judge("hanging-txn").observations, 2u);
    EXPECT_EQ(HistoryBuilder().judge("hanging-txn").kind, VerdictKind::vacuous);
}

TEST(HangingTxn, IsOpenTooLongAtTheEndOrWhenItEnds) {
    HistoryBuilder run;
    run.take_id("copier-1", 0, 7, 10s);
    const auto written = run.write_in("t#1", "orders/0");
    run.wait(51s);
    const Verdict verdict = run.judge("hanging-txn");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "t#1 was open in orders/0 from 0.002 s to 51.002 s, with a timeout "
                               "of 10 s and no fault since 0.000 s.");
    EXPECT_THAT(verdict.events, ElementsAre(written));
    run.mark("t#1", "orders/0", "abort", 1);
    EXPECT_EQ(run.judge("hanging-txn").kind, VerdictKind::violated);
    run.topology().clock_error = 5s;
    EXPECT_EQ(run.judge("hanging-txn").kind, VerdictKind::holds);
}

TEST(HangingTxn, IsNotForgivenByTheNextFault) {
    HistoryBuilder run;
    run.take_id("copier-1", 0, 7, 10s);
    run.begin_fault();
    run.end_fault();
    run.write_in("t#1", "orders/0");
    run.wait(51s);
    run.begin_fault();
    run.end_fault();
    run.wait(1s);
    run.mark("t#1", "orders/0", "abort", 1);
    EXPECT_EQ(run.judge("hanging-txn").kind, VerdictKind::violated);
    EXPECT_EQ(run.judge("hanging-txn").violations, 1U);
    EXPECT_EQ(run.judge("hanging-txn").observations, 1U);
}

TEST(HangingTxn, IsNotJudgedWhileAFaultLasts) {
    HistoryBuilder run;
    run.take_id("copier-1", 0, 7, 10s);
    run.write_in("t#1", "orders/0");
    run.begin_fault();
    run.wait(100s);
    run.mark("t#1", "orders/0", "abort", 1);
    EXPECT_EQ(run.judge("hanging-txn").kind, VerdictKind::vacuous);
}

} // namespace
} // namespace crier::properties::testing_support
