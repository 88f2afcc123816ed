// What brokers promise of their logs, judged by what they did.
#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

TEST(IdempotentProducer, FollowsEpochsThatBeginAtZero) {
    HistoryBuilder run;
    run.begin_sequence("orders/0", 0, 3); // a leader takes any sequence of a producer new to it
    run.begin_sequence("orders/1", 0, 0);
    run.begin_sequence("orders/0", 1, 0);
    run.begin_sequence("orders/0", 0, 0, 8);
    run.lose_records("orders/0", 5, 9);
    run.begin_sequence("orders/0", 1, 4); // where it goes on is not known
    EXPECT_EQ(run.judge("idempotent-producer").kind, VerdictKind::holds);
    EXPECT_EQ(run.judge("idempotent-producer").observations, 5u);
    EXPECT_EQ(HistoryBuilder().judge("idempotent-producer").kind, VerdictKind::vacuous);
}

TEST(IdempotentProducer, NamesTheBatchThatDoesNotFollow) {
    HistoryBuilder run;
    const auto first = run.begin_sequence("orders/0", 0, 0);
    const auto again = run.begin_sequence("orders/0", 0, 2);
    const Verdict verdict = run.judge("idempotent-producer");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "orders/0 has a batch of producer 7 (epoch 0) with sequence 2 at "
                               "0.002 s, which does not follow the batch before: a copy or a gap.");
    EXPECT_THAT(verdict.events, ElementsAre(first, again));

    HistoryBuilder late;
    late.begin_sequence("orders/0", 0, 0);
    late.begin_sequence("orders/0", 1, 2);
    EXPECT_EQ(late.judge("idempotent-producer").kind, VerdictKind::violated)
        << "a later epoch begins at 0";
}

TEST(HwMonotone, CountsLeadershipsAndMindsTheirWatermarks) {
    HistoryBuilder run;
    run.lead(events_1, "orders/0", 0);
    EXPECT_EQ(run.judge("hw-monotone").kind, VerdictKind::holds);
    run.fall(broker::events::watermark_fell, "orders/0", 9, 7);
    const Verdict verdict = run.judge("hw-monotone");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "The high watermark of orders/0 went back from 9 to 7 at 0.002 s "
                               "under one leader.");
    EXPECT_EQ(HistoryBuilder().judge("hw-monotone").kind, VerdictKind::vacuous);
}

TEST(LsoMonotone, CountsPollsOfCarefulReadersAndMindsWhatTheyWereServed) {
    HistoryBuilder run;
    run.open_consumer(billing_1);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.write_in("t#1", "orders/0");
    run.mark("t#1", "orders/0", "commit");
    run.deliver(billing_2, "orders/0", 0, 1); // it reads what is not committed, too
    EXPECT_EQ(run.judge("lso-monotone").kind, VerdictKind::vacuous);
    run.deliver(billing_1, "orders/0", 1, 2);
    EXPECT_EQ(run.judge("lso-monotone").observations, 1U);
    EXPECT_EQ(run.judge("lso-monotone").kind, VerdictKind::holds);
    run.fall(broker::events::stable_offset_fell, "orders/0", 9, 7);
    const Verdict verdict = run.judge("lso-monotone");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "The last stable offset of orders/0 went back from 9 to 7 at "
                               "0.007 s under one leader.");
    EXPECT_EQ(HistoryBuilder().judge("lso-monotone").kind, VerdictKind::vacuous);
}

class CompactionSafe : public ::testing::Test {
protected:
    CompactionSafe() {
        run.topology().channels[0].compacts = true;
        run.topology().channels[0].delete_retention = 10s;
    }

    HistoryBuilder run;
};

TEST_F(CompactionSafe, AllowsWhatHasALaterRecordAndWhatNobodyCouldSee) {
    run.store("o-0", "orders/0", 0, "customer-1");
    run.store("o-1", "orders/0", 1, "customer-2");
    run.write("o-2", "orders/0", 2); // and aborted
    run.store("o-3", "orders/0", 3, "customer-1");
    run.compact("orders/0", 0);
    run.compact("orders/0", 2);
    run.store("o-4", "orders/0", 4, "customer-3");
    run.store("o-5", "orders/0", 5, "customer-3");
    run.lose_records("orders/0", 4, 5);
    run.compact("orders-dead/0", 0); // not compacted: not known
    run.wait(11s);
    run.compact("orders/0", 3, true);
    EXPECT_EQ(run.judge("compaction-safe").kind, VerdictKind::holds);
    EXPECT_EQ(run.judge("compaction-safe").observations, 2u);
    EXPECT_EQ(HistoryBuilder().judge("compaction-safe").kind, VerdictKind::vacuous);
}

TEST_F(CompactionSafe, NamesTheLatestThatIsGone) {
    run.store("o-0", "orders/0", 0, "customer-1");
    const auto stored = run.store("o-1", "orders/0", 1, "customer-1");
    const auto removed = run.compact("orders/0", 1);
    const Verdict verdict = run.judge("compaction-safe");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "The compaction of orders/0 removed o-1 at 0.003 s, the latest of "
                               "customer-1.");
    EXPECT_THAT(verdict.events, ElementsAre(stored, removed));
}

TEST_F(CompactionSafe, KeepsAnEarlierRecordWhenTheLaterOneWasLost) {
    run.store("o-0", "orders/0", 0, "customer-1");
    run.store("o-1", "orders/0", 1, "customer-1");
    run.lose_records("orders/0", 1, 1);
    run.compact("orders/0", 0);
    EXPECT_EQ(run.judge("compaction-safe").kind, VerdictKind::violated);
}

TEST_F(CompactionSafe, GivesReadersTheirTimeToSeeATombstone) {
    run.store("o-0", "orders/0", 0, "customer-1");
    run.wait(9s);
    run.compact("orders/0", 0, true);
    const Verdict verdict = run.judge("compaction-safe");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "The compaction of orders/0 removed o-0 at 9.002 s, a tombstone "
                               "that readers had only 9.001 s to see.");
    run.topology().clock_error = 2s;
    EXPECT_EQ(run.judge("compaction-safe").kind, VerdictKind::holds);
}

TEST(RetentionVisibleLoss, HoldsForWhoIsTold) {
    HistoryBuilder run;
    for (std::uint64_t at = 0; at < 6; ++at)
        run.store("o-" + std::to_string(at), "orders/0", at);
    run.deliver(billing_1, "orders/0", 0, 2);
    run.commit("orders/0", 2);
    run.move_start("orders/0", 4);
    run.reset(billing_2, "orders/0", 4, "earliest");
    run.deliver(billing_2, "orders/0", 4, 5);
    run.move_start("orders/0", 5); // all of it read
    run.deliver(billing_2, "orders/0", 5, 6);
    EXPECT_EQ(run.judge("retention-visible-loss").kind, VerdictKind::holds);
    EXPECT_EQ(run.judge("retention-visible-loss").observations, 1u);
    EXPECT_EQ(HistoryBuilder().judge("retention-visible-loss").kind, VerdictKind::vacuous);
}

TEST(RetentionVisibleLoss, CountsWhatExpiredUnreadWithoutAWord) {
    HistoryBuilder run;
    for (std::uint64_t at = 0; at < 6; ++at)
        run.store("o-" + std::to_string(at), "orders/0", at);
    run.deliver(billing_1, "orders/0", 0, 2);
    const auto moved = run.move_start("orders/0", 4);
    const auto delivered = run.deliver(billing_2, "orders/0", 4, 5);
    const Verdict verdict = run.judge("retention-visible-loss");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness,
              "billing/2 of billing went on in orders/0 at 4 at 0.009 s, and nobody told it of 2 "
              "records from 2 on that were deleted unread.");
    EXPECT_THAT(verdict.events, ElementsAre(moved, delivered));
}

class AckedDurable : public ::testing::Test {
protected:
    void open(std::string_view acks) { run.open_producer(shop_1, 0, acks); }
    void acknowledge(std::uint64_t offset, std::uint64_t count) {
        run.acknowledge(shop_1, "orders/0", offset, offset, count);
    }

    HistoryBuilder run;
};

TEST_F(AckedDurable, HoldsWhenAllThatWasAcknowledgedIsStored) {
    open("all");
    run.store("o-0", "orders/0", 0);
    run.store("o-1", "orders/0", 1);
    acknowledge(0, 2);
    run.store("o-2", "orders/0", 2);
    run.lose_records("orders/0", 2, 2); // nobody was told of it
    run.move_start("orders/0", 1);
    EXPECT_EQ(run.judge("acked-durable").kind, VerdictKind::holds);
    EXPECT_EQ(run.judge("acked-durable").observations, 2u);
    EXPECT_EQ(HistoryBuilder().judge("acked-durable").kind, VerdictKind::vacuous);
}

TEST_F(AckedDurable, NamesWhatWasNotStoredWhenItWasSaid) {
    open("all");
    run.store("o-0", "orders/0", 0);
    acknowledge(0, 2);
    run.store("o-9", "orders/0", 1); // another's, after the next election
    const Verdict verdict = run.judge("acked-durable");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "orders/0 offset 1 was acknowledged to a producer that asked for "
                               "all replicas at 0.003 s, and was not stored for good.");
}

TEST_F(AckedDurable, BelievesAFormerLeaderThatKnowsItFirst) {
    open("all");
    run.store("o-0", "orders/0", 0);
    run.lead(events_1, "orders/0", 1);
    acknowledge(1, 1); // all replicas in sync have it, and the next leader will learn that, too
    acknowledge(2, 1); // nobody has it
    run.store("o-1", "orders/0", 1);
    const Verdict verdict = run.judge("acked-durable");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.observations, 2u);
    EXPECT_EQ(verdict.violations, 1u);
    EXPECT_THAT(verdict.witness, testing::HasSubstr("orders/0 offset 2 was acknowledged"));
}

TEST_F(AckedDurable, NamesWhatWasLost) {
    open("all");
    run.store("o-0", "orders/0", 0);
    acknowledge(0, 1);
    const auto lost = run.lose_records("orders/0", 0, 0);
    run.store("o-9", "orders/0", 0);
    const Verdict verdict = run.judge("acked-durable");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.events, ElementsAre(lost));
    run.topology().channels[0].may_lose = true;
    EXPECT_EQ(run.judge("acked-durable").kind, VerdictKind::vacuous);
}

TEST_F(AckedDurable, PromisesNothingToOtherProducers) {
    open("leader");
    acknowledge(0, 1);
    EXPECT_EQ(run.judge("acked-durable").kind, VerdictKind::vacuous);
}

} // namespace
} // namespace crier::properties::testing_support
