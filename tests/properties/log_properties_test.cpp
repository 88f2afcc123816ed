// What a log promises its readers: each record once, in turn, and for good.
#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;

TEST(NonmonotonicPoll, BeginsAnewWithAnAssignmentAProcessAResetOrASeek) {
    HistoryBuilder run;
    run.deliver(billing_1, "orders/0", 0, 5);
    run.deliver(billing_1, "orders/0", 7, 9);
    run.deliver(billing_1, "orders/1", 0, 2);
    run.revoke(billing_1, "orders/0");
    run.assign(billing_1, "orders/0");
    run.deliver(billing_1, "orders/0", 3, 9);
    run.seek(billing_1, "orders/0", 4);
    run.deliver(billing_1, "orders/0", 4, 9);
    run.crash(billing_1);
    run.deliver(billing_1, "orders/0", 0, 9);
    run.reset(billing_1, "orders/0", 0, "earliest");
    run.deliver(billing_1, "orders/0", 0, 9);
    EXPECT_EQ(run.judge("nonmonotonic-poll").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("nonmonotonic-poll").kind, VerdictKind::vacuous);
}

TEST(NonmonotonicPoll, NamesWhatCameAgain) {
    HistoryBuilder run;
    const auto first = run.deliver(billing_1, "orders/0", 0, 5);
    const auto second = run.deliver(billing_1, "orders/0", 4, 6);
    const Verdict verdict = run.judge("nonmonotonic-poll");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "billing/1 was handed orders/0 from 4 at 0.002 s, after it had been "
                               "handed what is before 5.");
    EXPECT_THAT(verdict.events, ElementsAre(first, second));
}

TEST(PollSkip, MindsOnlyRecordsThatAreThere) {
    HistoryBuilder run;
    for (std::uint64_t at : {0U, 1U, 2U, 5U, 6U})
        run.store("o-" + std::to_string(at), "orders/0", at);
    run.deliver(billing_1, "orders/0", 0, 3);
    run.deliver(billing_1, "orders/0", 5, 6); // 3 and 4 never were
    run.move_start("orders/0", 7);
    run.store("o-7", "orders/0", 7);
    run.deliver(billing_1, "orders/0", 7, 8); // 6 is deleted
    EXPECT_EQ(run.judge("poll-skip").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("poll-skip").kind, VerdictKind::vacuous);
}

TEST(PollSkip, NamesTheFirstThatWasLeftOut) {
    HistoryBuilder run;
    for (std::uint64_t at = 0; at < 4; ++at)
        run.store("o-" + std::to_string(at), "orders/0", at);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.deliver(billing_1, "orders/0", 3, 4);
    const Verdict verdict = run.judge("poll-skip");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "billing/1 was handed orders/0 from 3 at 0.006 s and never 1, which "
                               "is stored.");
}

TEST(Unseen, CountsWhatWasNeverHandedOut) {
    HistoryBuilder run;
    run.store("o-0", "orders/0", 0);
    run.reset(billing_1, "orders/0", 1, "latest");
    for (std::uint64_t at = 1; at < 4; ++at)
        run.store("o-" + std::to_string(at), "orders/0", at);
    run.deliver(billing_1, "orders/0", 1, 4);
    run.store("o-x", "orders/1", 0);
    run.move_start("orders/1", 1);
    EXPECT_EQ(run.judge("unseen").kind, VerdictKind::holds);
    run.store("o-4", "orders/0", 4);
    EXPECT_EQ(run.judge("unseen").kind, VerdictKind::holds) << "it may be on its way";
    run.wait(std::chrono::seconds(61));
    const Verdict verdict = run.judge("unseen");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "orders/0 offset 4 is stored and was never handed to billing.");
    EXPECT_EQ(HistoryBuilder().judge("unseen").kind, VerdictKind::vacuous);
}

TEST(Unseen, NeedsNoTimeToMissWhatWasPassed) {
    HistoryBuilder run;
    for (std::uint64_t at = 0; at < 3; ++at)
        run.store("o-" + std::to_string(at), "orders/0", at);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.deliver(billing_1, "orders/0", 2, 3);
    const Verdict verdict = run.judge("unseen");
    EXPECT_EQ(verdict.witness, "orders/0 offset 1 is stored and was never handed to billing.");
}

TEST(Unseen, CountsAnewWhatTookThePlaceOfLostRecords) {
    HistoryBuilder run;
    run.store("o-0", "orders/0", 0);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.lose_records("orders/0", 0, 0);
    run.store("o-1", "orders/0", 0);
    run.wait(std::chrono::seconds(61));
    EXPECT_EQ(run.judge("unseen").kind, VerdictKind::violated);
}

TEST(Unseen, CountsWhatAShareGroupGaveOut) {
    HistoryBuilder run;
    run.store("o-0", "orders/0", 0);
    run.store("o-1", "orders/0", 1);
    run.share(billing_1, "orders/0", 1);
    EXPECT_EQ(run.judge("unseen").kind, VerdictKind::violated);
    run.share(billing_2, "orders/0", 0);
    EXPECT_EQ(run.judge("unseen").kind, VerdictKind::holds);
}

TEST(ReadAboveWatermark, ConcernsShareGroupsToo) {
    HistoryBuilder run;
    run.store("o-0", "orders/0", 0);
    run.share(billing_1, "orders/0", 0);
    EXPECT_EQ(run.judge("read-above-watermark").kind, VerdictKind::holds);
    run.share(billing_1, "orders/0", 1);
    EXPECT_EQ(run.judge("read-above-watermark").kind, VerdictKind::violated);
}

// Groups of partitions and their commits say nothing of share groups.
TEST(ShareGroups, AreNothingToThePropertiesOfClassicGroups) {
    HistoryBuilder run;
    run.topology().subscribers.resize(1);
    run.topology().subscribers[0].group_traits.protocol = GroupProtocol::share;
    run.store("o-0", "orders/0", 0);
    run.share(billing_1, "orders/0", 0);
    run.share(billing_2, "orders/0", 0, 2);
    for (const char* const property :
         {"commit-not-ahead", "commit-not-behind", "commit-monotone", "assigned-all",
          "assignment-exclusive", "poll-skip", "nonmonotonic-poll", "zombie-commit"}) {
        EXPECT_EQ(run.judge(property).kind, VerdictKind::vacuous) << property;
    }
}

TEST(ReadAboveWatermark, IsReadingWhatIsNotStored) {
    HistoryBuilder run;
    run.store("o-0", "orders/0", 0);
    run.receive(billing_1, "o-0", "orders/0", 0);
    run.write_in("t#1", "orders/0");
    run.deliver(billing_1, "orders/0", 0, 2); // behind a marker
    EXPECT_EQ(run.judge("read-above-watermark").kind, VerdictKind::holds);
    run.receive(billing_1, "o-1", "orders/0", 1);
    const Verdict verdict = run.judge("read-above-watermark");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "billing/1 was handed orders/0 offset 1 at 0.005 s, when only what "
                               "is before 1 was stored.");
    EXPECT_EQ(HistoryBuilder().judge("read-above-watermark").kind, VerdictKind::vacuous);
}

TEST(DuplicateRecord, IsExcusedByWhatMakesAnApplicationSendAnew) {
    HistoryBuilder run;
    run.lead(events_1, "orders/0", 0);
    run.store("o-0", "orders/0", 0);
    run.store("o-0", "orders/1", 0); // another partition: key-affinity's matter
    run.crash(shop_1);
    run.store("o-0", "orders/0", 1);
    EXPECT_EQ(run.judge("duplicate-record").kind, VerdictKind::holds);
    run.crash(events_1); // an idempotent producer's retry is told from a copy
    run.store("o-0", "orders/0", 2);
    const Verdict verdict = run.judge("duplicate-record");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.subjects, ElementsAre(run.name("o-0")));
    EXPECT_EQ(HistoryBuilder().judge("duplicate-record").kind, VerdictKind::vacuous);
}

TEST(OffsetStability, IsPromisedWhereTwoReplicasMustHaveARecord) {
    HistoryBuilder run;
    run.store("o-0", "orders/0", 0);
    EXPECT_EQ(run.judge("offset-stability").kind, VerdictKind::holds);
    run.lose_records("__consumer_offsets/0", 0, 1);
    EXPECT_EQ(run.judge("offset-stability").kind, VerdictKind::holds);
    run.lose_records("orders/0", 0, 0);
    const Verdict verdict = run.judge("offset-stability");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "orders/0 lost the stored records from 0 to 0 at 0.003 s.");
    run.topology().channels[0].may_lose = true;
    EXPECT_EQ(run.judge("offset-stability").kind, VerdictKind::vacuous);
}

// A deletion is nobody's loss, and what comes at an offset after it is another record.
TEST(PartitionDeleted, BeginsThePartitionAnew) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    run.send(shop_1, "o-0", "orders/0", 0);
    run.send(shop_1, "o-1", "orders/0", 1);
    run.store("o-0", "orders/0", 0);
    run.store("o-1", "orders/0", 1);
    run.acknowledge(shop_1, "orders/0", 0, 0);
    run.assign(billing_1, "orders/0");
    run.receive(billing_1, "o-0", "orders/0", 0);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.effect("o-0");
    run.commit("orders/0", 1);
    run.delete_partition("orders/0", 2);
    run.acknowledge(shop_1, "orders/0", 1, 1); // on its way meanwhile
    run.store("o-1", "orders/0", 0);           // sent again
    run.reset(billing_1, "orders/0", 0, "earliest");
    run.commit("orders/0", 2); // of what it had read before
    run.reset(billing_1, "orders/0", 0, "earliest");
    run.receive(billing_1, "o-1", "orders/0", 0);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.effect("o-1");
    run.commit("orders/0", 1);
    for (const auto* property : {"offset-stability", "acked-durable", "inconsistent-offsets",
                                 "duplicate-record", "unseen", "reset-policy", "phantom-read"}) {
        EXPECT_EQ(run.judge(property).kind, VerdictKind::holds) << property;
    }
    for (const auto* property : {"lost-write", "nonmonotonic-send", "poll-skip", "int-poll-skip",
                                 "commit-monotone", "commit-not-ahead", "position-contiguous"}) {
        EXPECT_NE(run.judge(property).kind, VerdictKind::violated) << property;
    }
    run.store("o-1", "orders/0", 1);
    EXPECT_EQ(run.judge("duplicate-record").kind, VerdictKind::violated);
    run.wait(std::chrono::seconds(61));
    EXPECT_EQ(run.judge("unseen").kind, VerdictKind::violated);
    run.lose_records("orders/0", 0, 1);
    EXPECT_EQ(run.judge("offset-stability").kind, VerdictKind::violated);
}

TEST(PartitionDeleted, LeavesCommitsThatComeLate) {
    HistoryBuilder run;
    run.commit("orders/0", 40);
    run.delete_partition("orders/0", 50);
    run.reset(billing_1, "orders/0", 0, "earliest");
    run.commit("orders/0", 44); // of the topic before
    run.store("o-1", "orders/0", 0);
    run.store("o-2", "orders/0", 1);
    run.commit("orders/0", 1);
    EXPECT_EQ(run.judge("commit-monotone").kind, VerdictKind::holds);
    run.commit("orders/0", 2);
    run.commit("orders/0", 1);
    EXPECT_EQ(run.judge("commit-monotone").violations, 1u);
}

TEST(EpochSingleLeader, NeedsAGreaterEpochForEveryLeader) {
    HistoryBuilder run;
    run.lead(events_1, "orders/0", 0);
    run.lead(shop_1, "orders/0", 1);
    run.lead(shop_1, "orders/1", 0);
    run.delete_partition("orders/1", 0); // with its epochs
    run.lead(events_1, "orders/1", 0);
    EXPECT_EQ(run.judge("epoch-single-leader").kind, VerdictKind::holds);
    run.lead(events_1, "orders/0", 1);
    EXPECT_EQ(run.judge("epoch-single-leader").kind, VerdictKind::violated);
    EXPECT_EQ(HistoryBuilder().judge("epoch-single-leader").kind, VerdictKind::vacuous);
}

} // namespace
} // namespace crier::properties::testing_support
