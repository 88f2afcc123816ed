// What producers were told, what transactions were, and what readers were handed of both.
#include "tests/properties/history_builder.hpp"

#include <gmock/gmock.h>

namespace crier::properties::testing_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// `o-0`, `o-1` … sent by the shop and stored in `orders/0`, told so.
void sell(HistoryBuilder& run, std::uint64_t count) {
    run.open_producer(shop_1);
    for (std::uint64_t at = 0; at < count; ++at) {
        const std::string id = "o-" + std::to_string(at);
        run.send(shop_1, id, "orders/0", at);
        run.store(id, "orders/0", at);
    }
    run.acknowledge(shop_1, "orders/0", 0, 0, count);
}

/// One transaction with two records, at offsets `first` and `first + 1` of `orders/0`.
void copy(HistoryBuilder& run, const std::string& transaction, std::uint64_t first,
          std::uint64_t number) {
    run.begin_transaction(shop_1, transaction);
    for (std::uint64_t at = 0; at < 2; ++at) {
        const std::string id = transaction + std::to_string(at);
        run.send(shop_1, id, "orders/0", number + at, transaction);
        run.write(id, "orders/0", first + at);
    }
    run.acknowledge(shop_1, "orders/0", first, number, 2);
}

void store_copies(HistoryBuilder& run, const std::string& transaction, std::uint64_t first) {
    run.store(transaction + "0", "orders/0", first);
    run.store(transaction + "1", "orders/0", first + 1);
}

TEST(InconsistentOffsets, AreTwoRecordsAtOneOffset) {
    HistoryBuilder run;
    sell(run, 2);
    run.receive(billing_1, "o-0", "orders/0", 0);
    run.receive(billing_2, "o-0", "orders/0", 0);
    EXPECT_EQ(run.judge("inconsistent-offsets").kind, VerdictKind::holds);
    run.receive(billing_2, "o-0", "orders/0", 1);
    const Verdict verdict = run.judge("inconsistent-offsets");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "orders/0 offset 1 is o-1 to one and o-0 to another, at 0.009 s.");
    EXPECT_EQ(HistoryBuilder().judge("inconsistent-offsets").kind, VerdictKind::vacuous);
}

TEST(InconsistentOffsets, CountTheWordOfProducersThatWaitedForAll) {
    for (const auto* acks : {"leader", "all"}) {
        HistoryBuilder run;
        run.open_producer(shop_1, 0, acks);
        run.send(shop_1, "o-0", "orders/0", 0);
        run.acknowledge(shop_1, "orders/0", 0, 0);
        run.store("o-1", "orders/0", 0);
        run.receive(billing_1, "o-1", "orders/0", 0);
        const bool waits = std::string_view(acks) == "all";
        EXPECT_EQ(run.judge("inconsistent-offsets").kind,
                  waits ? VerdictKind::violated : VerdictKind::holds)
            << acks;
    }
}

TEST(InconsistentOffsets, AreLegalWhereWhatIsStoredMayBeLost) {
    HistoryBuilder run;
    run.store("o-0", "orders/0", 0);
    run.store("o-1", "orders/0", 1);
    run.lose_records("orders/0", 1, 1);
    run.store("o-2", "orders/0", 1);
    run.receive(billing_1, "o-0", "orders/0", 0);
    EXPECT_EQ(run.judge("inconsistent-offsets").kind, VerdictKind::violated);
    run.topology().channels[0].may_lose = true;
    EXPECT_EQ(run.judge("inconsistent-offsets").kind, VerdictKind::holds);
}

TEST(LostWrite, IsAcknowledgedBelowWhatAGroupWasHandedAndMissing) {
    HistoryBuilder run;
    sell(run, 4);
    run.receive(billing_1, "o-0", "orders/0", 0);
    run.receive(billing_1, "o-1", "orders/0", 1); // 2 and 3 may still come
    EXPECT_EQ(run.judge("lost-write").kind, VerdictKind::holds);
    run.receive(billing_2, "o-3", "orders/0", 3);
    const Verdict verdict = run.judge("lost-write");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "orders/0 offset 2 was acknowledged to its producer, and billing "
                               "was handed later ones and never that.");
    run.receive(billing_1, "o-2", "orders/0", 2); // by another member, later
    EXPECT_EQ(run.judge("lost-write").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("lost-write").kind, VerdictKind::vacuous);
}

TEST(LostWrite, IsNoneOfWhatTheGroupDidNotAskForOrWasDeleted) {
    HistoryBuilder run;
    sell(run, 6);
    run.reset(billing_1, "orders/0", 2, "latest");
    run.receive(billing_1, "o-2", "orders/0", 2);
    run.seek(billing_1, "orders/0", 4);
    run.move_start("orders/0", 5);
    run.receive(billing_1, "o-5", "orders/0", 5);
    EXPECT_EQ(run.judge("lost-write").kind, VerdictKind::holds);
}

TEST(LostWrite, IsNoneOnCompactedPartitionsNorWhereRecordsMayBeLost) {
    HistoryBuilder run;
    sell(run, 3);
    run.receive(billing_1, "o-2", "orders/0", 2);
    EXPECT_EQ(run.judge("lost-write").kind, VerdictKind::violated);
    run.topology().channels[0].may_lose = true;
    EXPECT_EQ(run.judge("lost-write").kind, VerdictKind::vacuous);
    run.topology().channels[0].may_lose = false;
    run.topology().channels[0].compacts = true;
    EXPECT_EQ(run.judge("lost-write").kind, VerdictKind::vacuous);
}

TEST(LostWrite, IsJudgedWhenItsPartitionIsDeletedAndNotAfter) {
    HistoryBuilder run;
    sell(run, 3);
    run.receive(billing_1, "o-0", "orders/0", 0);
    run.receive(billing_1, "o-2", "orders/0", 2);
    run.delete_partition("orders/0", 3);
    run.receive(billing_1, "o-1", "orders/0", 1); // of the next topic
    EXPECT_EQ(run.judge("lost-write").violations, 1u);
    run.send(shop_1, "o-3", "orders/0", 3);
    run.acknowledge(shop_1, "orders/0", 3, 3);
    run.receive(billing_1, "o-9", "orders/0", 9);
    EXPECT_EQ(run.judge("lost-write").violations, 1u);
}

TEST(LostWrite, HoldsATransactionTogether) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    run.open_consumer(billing_1);
    copy(run, "t1-", 0, 0);
    run.store("o-x", "orders/0", 2);
    run.receive(billing_1, "o-x", "orders/0", 2); // nothing of it: perhaps it was aborted
    EXPECT_EQ(run.judge("lost-write").kind, VerdictKind::vacuous);
    run.receive(billing_1, "t1-1", "orders/0", 1); // one proves the other
    EXPECT_EQ(run.judge("lost-write").kind, VerdictKind::violated);
    run.receive(billing_1, "t1-0", "orders/0", 0);
    EXPECT_EQ(run.judge("lost-write").kind, VerdictKind::holds);
}

TEST(LostWrite, KnowsWhatTheClientWasToldOfItsTransaction) {
    for (const auto* verdict : {"commit", "abort"}) {
        HistoryBuilder run;
        run.open_producer(shop_1);
        copy(run, "t1-", 0, 0);
        run.end_transaction(shop_1, "t1-", verdict);
        run.store("o-x", "orders/0", 2);
        run.receive(billing_1, "o-x", "orders/0", 2);
        const bool committed = std::string_view(verdict) == "commit";
        EXPECT_EQ(run.judge("lost-write").kind,
                  committed ? VerdictKind::violated : VerdictKind::vacuous)
            << verdict;
    }
}

TEST(PollInside, RecordsOfOnePollAscend) {
    HistoryBuilder run;
    run.receive(billing_1, "o-0", "orders/0", 0);
    run.receive(billing_1, "o-1", "orders/0", 1);
    run.deliver(billing_1, "orders/0", 0, 2);
    run.receive(billing_1, "o-0", "orders/0", 0); // another poll
    run.receive(billing_1, "o-0", "orders/1", 0); // another partition
    EXPECT_EQ(run.judge("int-nonmonotonic-poll").kind, VerdictKind::holds);
    run.receive(billing_1, "o-0", "orders/0", 0);
    const Verdict verdict = run.judge("int-nonmonotonic-poll");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness,
              "billing/1 was handed orders/0 offset 0 after offset 0 in one poll, at 0.006 s.");
    EXPECT_EQ(HistoryBuilder().judge("int-nonmonotonic-poll").kind, VerdictKind::vacuous);
}

TEST(PollInside, ADeadProcesssPollIsOver) {
    HistoryBuilder run;
    run.receive(billing_1, "o-0", "orders/0", 5);
    run.crash(billing_1);
    run.receive(billing_1, "o-0", "orders/0", 0);
    run.receive(billing_1, "o-0", "orders/0", 1);
    EXPECT_EQ(run.judge("int-nonmonotonic-poll").kind, VerdictKind::holds);
}

TEST(PollInside, LeavesNothingOutThatIsStored) {
    HistoryBuilder run;
    sell(run, 4);
    run.receive(billing_1, "o-0", "orders/0", 0);
    run.receive(billing_1, "o-1", "orders/0", 1);
    run.deliver(billing_1, "orders/0", 0, 2);
    run.move_start("orders/0", 3);
    run.receive(billing_1, "o-1", "orders/0", 1);
    run.receive(billing_1, "o-3", "orders/0", 3); // 2 was deleted
    EXPECT_EQ(run.judge("int-poll-skip").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("int-poll-skip").kind, VerdictKind::vacuous);
}

TEST(PollInside, FindsWhatIsLeftOutInTheMidstAndAtTheEnd) {
    HistoryBuilder midst;
    sell(midst, 3);
    midst.receive(billing_1, "o-0", "orders/0", 0);
    midst.receive(billing_1, "o-2", "orders/0", 2);
    EXPECT_EQ(midst.judge("int-poll-skip").witness,
              "billing/1 was handed records of orders/0 around 1 at 0.010 s without that one, "
              "which is stored.");
    HistoryBuilder at_end;
    sell(at_end, 3);
    at_end.receive(billing_1, "o-0", "orders/0", 0);
    at_end.receive(billing_1, "o-1", "orders/0", 1);
    at_end.deliver(billing_1, "orders/0", 0, 3);
    EXPECT_EQ(at_end.judge("int-poll-skip").kind, VerdictKind::violated);
    at_end.topology().channels[0].compacts = true;
    EXPECT_EQ(at_end.judge("int-poll-skip").kind, VerdictKind::holds);
}

TEST(SendOrder, IsKeptByProducersThatPromiseIt) {
    for (const auto* order : {"idempotent", "one-in-flight", "unordered"}) {
        HistoryBuilder run;
        run.open_producer(shop_1, 0, "all", order);
        run.send(shop_1, "o-0", "orders/0", 0);
        run.send(shop_1, "o-1", "orders/0", 1);
        run.send(shop_1, "o-2", "orders/0", 2);
        run.acknowledge(shop_1, "orders/0", 7, 1); // told before the one that is stored earlier
        run.acknowledge(shop_1, "orders/0", 5, 0);
        EXPECT_NE(run.judge("nonmonotonic-send").kind, VerdictKind::violated);
        run.acknowledge(shop_1, "orders/0", 6, 2);
        const bool promises = std::string_view(order) != "unordered";
        const Verdict verdict = run.judge("nonmonotonic-send");
        EXPECT_EQ(verdict.kind, promises ? VerdictKind::violated : VerdictKind::vacuous) << order;
        if (!promises) continue;
        EXPECT_EQ(verdict.witness, "shop/1 learns at 0.007 s that of two records the earlier is at "
                                   "orders/0 offset 7 and the later at 6.");
    }
}

TEST(SendOrder, KnowsWhatIsLateByMoreThanItKeeps) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    for (std::uint64_t number = 0; number < 200; ++number)
        run.send(shop_1, "o-" + std::to_string(number), "orders/0", number);
    run.acknowledge(shop_1, "orders/0", 0, 1, 199);
    EXPECT_EQ(run.judge("nonmonotonic-send").kind, VerdictKind::holds);
    run.acknowledge(shop_1, "orders/0", 199, 0);
    EXPECT_EQ(run.judge("nonmonotonic-send").kind, VerdictKind::violated);
}

TEST(SendOrder, BeginsAnewWithAProcessAndIsNotJudgedBeyondLegalLosses) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    run.send(shop_1, "o-0", "orders/0", 0);
    run.acknowledge(shop_1, "orders/0", 5, 0);
    run.send(shop_1, "o-1", "orders/0", 1); // no answer, ever
    run.restart(shop_1);
    run.send(shop_1, "o-1", "orders/0", 0);
    run.acknowledge(shop_1, "orders/0", 3, 0);
    EXPECT_EQ(run.judge("nonmonotonic-send").kind, VerdictKind::vacuous);
    run.lose_records("orders/0", 1, 3);
    run.send(shop_1, "o-2", "orders/0", 1);
    run.acknowledge(shop_1, "orders/0", 1, 1);
    EXPECT_EQ(run.judge("nonmonotonic-send").kind, VerdictKind::violated);
    run.topology().channels[0].may_lose = true;
    EXPECT_EQ(run.judge("nonmonotonic-send").kind, VerdictKind::vacuous);
}

TEST(SendOrder, WithinATransactionIsAnotherProperty) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    copy(run, "t1-", 0, 0);
    run.end_transaction(shop_1, "t1-");
    copy(run, "t2-", 4, 2);
    EXPECT_EQ(run.judge("nonmonotonic-send").observations, 1); // between the two
    EXPECT_EQ(run.judge("int-nonmonotonic-send").observations, 2);
    EXPECT_EQ(run.judge("int-nonmonotonic-send").kind, VerdictKind::holds);
    run.send(shop_1, "t2-2", "orders/0", 4, "t2-");
    run.acknowledge(shop_1, "orders/0", 3, 4);
    EXPECT_EQ(run.judge("int-nonmonotonic-send").kind, VerdictKind::violated);
    EXPECT_EQ(run.judge("nonmonotonic-send").kind, VerdictKind::holds);
    EXPECT_EQ(HistoryBuilder().judge("int-nonmonotonic-send").kind, VerdictKind::vacuous);
    EXPECT_EQ(HistoryBuilder().judge("nonmonotonic-send").kind, VerdictKind::vacuous);
}

TEST(SendOrder, TellsForeignRecordsWithinATransactionAsInformation) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    copy(run, "t1-", 0, 0);
    EXPECT_EQ(run.judge("int-send-skip").remark, "");
    run.send(shop_1, "t1-2", "orders/0", 2, "t1-");
    run.acknowledge(shop_1, "orders/0", 4, 2);
    const Verdict verdict = run.judge("int-send-skip");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.remark,
              "1 times something else lies between two records of a transaction, as Kafka allows");
    EXPECT_EQ(HistoryBuilder().judge("int-send-skip").kind, VerdictKind::vacuous);
}

TEST(AbortedRead, ConcernsReadersOfCommittedRecordsOnly) {
    for (const auto* isolation : {"read-uncommitted", "read-committed"}) {
        HistoryBuilder run;
        run.open_producer(shop_1);
        run.open_consumer(billing_1, isolation);
        copy(run, "t1-", 0, 0);
        run.receive(billing_1, "t1-0", "orders/0", 0);
        EXPECT_NE(run.judge("aborted-read").kind, VerdictKind::violated);
        run.abort("t1-0", "orders/0", 0);
        const bool is_careful = std::string_view(isolation) == "read-committed";
        EXPECT_EQ(run.judge("aborted-read").kind,
                  is_careful ? VerdictKind::violated : VerdictKind::vacuous)
            << isolation;
    }
}

TEST(AbortedRead, AlsoBelievesWhatTheClientWasTold) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    run.open_consumer(billing_1);
    copy(run, "t1-", 0, 0);
    run.end_transaction(shop_1, "t1-", "commit");
    store_copies(run, "t1-", 0);
    run.receive(billing_1, "t1-0", "orders/0", 0);
    copy(run, "t2-", 3, 2);
    run.end_transaction(shop_1, "t2-", "abort");
    EXPECT_EQ(run.judge("aborted-read").kind, VerdictKind::holds);
    store_copies(run, "t2-", 3); // the marker of another transaction
    run.receive(billing_1, "t2-0", "orders/0", 3);
    const Verdict verdict = run.judge("aborted-read");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("orders/0 offset 3 was handed to a reader of committed "
                                           "records, and its transaction was aborted"));
    EXPECT_EQ(HistoryBuilder().judge("aborted-read").kind, VerdictKind::vacuous);
}

TEST(PrecommittedRead, IsReadingBeforeTheMarker) {
    for (const auto* isolation : {"read-uncommitted", "read-committed"}) {
        HistoryBuilder run;
        run.open_producer(shop_1);
        run.open_consumer(billing_1, isolation);
        copy(run, "t1-", 0, 0);
        store_copies(run, "t1-", 0);
        run.receive(billing_1, "t1-0", "orders/0", 0);
        EXPECT_NE(run.judge("precommitted-read").kind, VerdictKind::violated);
        copy(run, "t2-", 3, 2);
        run.receive(billing_1, "t2-0", "orders/0", 3);
        const Verdict verdict = run.judge("precommitted-read");
        const bool is_careful = std::string_view(isolation) == "read-committed";
        EXPECT_EQ(verdict.kind, is_careful ? VerdictKind::violated : VerdictKind::vacuous)
            << isolation;
        if (!is_careful) continue;
        EXPECT_EQ(verdict.witness,
                  "billing/1 reads committed records and was handed orders/0 offset 3 at 0.018 s, "
                  "whose transaction was open.");
    }
    EXPECT_EQ(HistoryBuilder().judge("precommitted-read").kind, VerdictKind::vacuous);
}

TEST(NoFalseFail, AFailedRecordIsNotInTheLog) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    run.send(shop_1, "o-0", "orders/0", 0);
    run.fail_send(shop_1, "orders/0", 0);
    EXPECT_EQ(run.judge("no-false-fail").kind, VerdictKind::holds);
    run.send(shop_1, "o-0", "orders/0", 1); // sent anew
    run.store("o-0", "orders/0", 0);
    run.leave_unknown(shop_1, "orders/0", 1);
    EXPECT_EQ(run.judge("no-false-fail").kind, VerdictKind::holds);
    run.send(shop_1, "o-1", "orders/0", 2);
    run.store("o-1", "orders/0", 1);
    run.fail_send(shop_1, "orders/0", 2);
    const Verdict verdict = run.judge("no-false-fail");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.subjects, ElementsAre(run.name("o-1")));
    EXPECT_EQ(HistoryBuilder().judge("no-false-fail").kind, VerdictKind::vacuous);
}

TEST(NoFalseFail, ItMayAlsoComeLater) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    run.send(shop_1, "o-0", "orders/0", 0);
    run.fail_send(shop_1, "orders/0", 0);
    run.write("o-0", "orders/0", 0);
    EXPECT_EQ(run.judge("no-false-fail").kind, VerdictKind::violated);
}

TEST(TxnTornRead, IsAPartOfATransactionAndWhatLiesBehind) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    run.open_consumer(billing_1);
    run.open_consumer(billing_2);
    copy(run, "t1-", 0, 0);
    store_copies(run, "t1-", 0);
    run.receive(billing_1, "t1-0", "orders/0", 0);
    run.deliver(billing_1, "orders/0", 0, 1); // a poll may end in its midst
    run.receive(billing_1, "t1-1", "orders/0", 1);
    run.deliver(billing_1, "orders/0", 1, 3);
    EXPECT_EQ(run.judge("txn-torn-read").kind, VerdictKind::holds);
    run.receive(billing_2, "t1-0", "orders/0", 0);
    run.deliver(billing_2, "orders/0", 0, 3);
    const Verdict verdict = run.judge("txn-torn-read");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.witness, "billing/2 was handed 1 of the 2 records that transaction t1- wrote "
                               "to orders/0, and what lies behind them, at 0.017 s.");
    EXPECT_EQ(HistoryBuilder().judge("txn-torn-read").kind, VerdictKind::vacuous);
}

TEST(TxnTornRead, IsNoneOfWhoBeginsInTheMidstOrReadsUncommitted) {
    HistoryBuilder run;
    run.open_producer(shop_1);
    run.open_consumer(billing_1);
    run.open_consumer(billing_2, "read-uncommitted");
    copy(run, "t1-", 0, 0);
    store_copies(run, "t1-", 0);
    run.receive(billing_1, "t1-0", "orders/0", 0);
    run.deliver(billing_1, "orders/0", 0, 1);
    run.assign(billing_1, "orders/0");
    run.receive(billing_1, "t1-1", "orders/0", 1);
    run.deliver(billing_1, "orders/0", 1, 3);
    run.receive(billing_2, "t1-0", "orders/0", 0);
    run.deliver(billing_2, "orders/0", 0, 3);
    EXPECT_EQ(run.judge("txn-torn-read").kind, VerdictKind::vacuous);
}

TEST(PhantomRead, IsWhatIsNotThereOrWhatNobodySent) {
    HistoryBuilder run;
    sell(run, 1);
    run.receive(billing_1, "o-0", "orders/0", 0);
    EXPECT_EQ(run.judge("phantom-read").kind, VerdictKind::holds);
    HistoryBuilder beyond;
    sell(beyond, 1);
    beyond.receive(billing_1, "o-0", "orders/0", 1);
    EXPECT_THAT(beyond.judge("phantom-read").witness,
                HasSubstr("was handed o-0 from orders/0 offset 1"));
    run.store("o-7", "orders/0", 1); // by whom?
    run.receive(billing_1, "o-7", "orders/0", 1);
    EXPECT_THAT(run.judge("phantom-read").witness, HasSubstr("which nobody sent there"));
    EXPECT_EQ(HistoryBuilder().judge("phantom-read").kind, VerdictKind::vacuous);
}

/// Two processes whose transactions read one another's records: `orders/0` and `orders/1`.
void exchange(HistoryBuilder& run, bool both) {
    for (const std::uint32_t node : {billing_1, billing_2}) {
        const std::string transaction = "t" + std::to_string(node);
        const std::string partition = node == billing_1 ? "orders/0" : "orders/1";
        run.open_producer(node);
        run.open_consumer(node);
        run.begin_transaction(node, transaction);
        run.send(node, transaction, partition, 0, transaction);
        run.write(transaction, partition, 0);
        run.acknowledge(node, partition, 0, 0);
    }
    run.receive(billing_2, "t1", "orders/0", 0);
    if (both) run.receive(billing_1, "t2", "orders/1", 0);
    run.end_transaction(billing_1, "t1");
    run.end_transaction(billing_2, "t2");
}

TEST(TxnCycles, InformationFlowsInNoCircle) {
    HistoryBuilder one_way;
    exchange(one_way, false);
    EXPECT_EQ(one_way.judge("g1c").kind, VerdictKind::holds);
    HistoryBuilder run;
    exchange(run, true);
    const Verdict verdict = run.judge("g1c");
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_THAT(verdict.witness, HasSubstr("was read by"));
    EXPECT_EQ(HistoryBuilder().judge("g1c").kind, VerdictKind::vacuous);
}

TEST(TxnCycles, CountWhatWasReadBetweenTransactions) {
    HistoryBuilder run;
    run.open_producer(billing_1);
    run.open_consumer(billing_2);
    run.open_producer(billing_2, 0, "all", "idempotent", "copier-2");
    run.begin_transaction(billing_1, "t1");
    run.send(billing_1, "o-1", "orders/0", 0, "t1");
    run.acknowledge(billing_1, "orders/0", 0, 0);
    run.end_transaction(billing_1, "t1");
    run.receive(billing_2, "o-1", "orders/0", 0);
    run.begin_transaction(billing_2, "t2");
    run.end_transaction(billing_2, "t2");
    EXPECT_EQ(run.judge("g1c").observations, 1U);
}

TEST(TxnCycles, OnlyCommittedTransactionsCount) {
    HistoryBuilder run;
    exchange(run, true);
    run.begin_transaction(billing_1, "t3");
    run.send(billing_1, "t3", "orders/0", 1, "t3");
    run.acknowledge(billing_1, "orders/0", 1, 1);
    run.receive(billing_1, "t3", "orders/0", 1); // its own: precommitted-read's matter
    run.end_transaction(billing_1, "t3", "abort");
    EXPECT_EQ(run.judge("g1c").observations, 2);
}

TEST(TxnCycles, WritesMayInterleave) {
    HistoryBuilder run;
    for (const std::uint32_t node : {billing_1, billing_2}) {
        const std::string transaction = "t" + std::to_string(node);
        run.open_producer(node);
        run.begin_transaction(node, transaction);
        run.send(node, transaction, "orders/0", 0, transaction);
        run.send(node, transaction, "orders/1", 0, transaction);
    }
    run.acknowledge(billing_1, "orders/0", 0, 0);
    run.acknowledge(billing_2, "orders/0", 1, 0);
    run.acknowledge(billing_2, "orders/1", 0, 0);
    run.acknowledge(billing_1, "orders/1", 1, 0);
    run.end_transaction(billing_1, "t1");
    EXPECT_EQ(run.judge("g0").kind, VerdictKind::vacuous); // one alone
    run.end_transaction(billing_2, "t2");
    const Verdict verdict = run.judge("g0");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.remark,
              "2 transactions are in a cycle by the order of their writes, as Kafka allows");
    EXPECT_EQ(run.judge("g1c").remark, "2 transactions are in a cycle by the order of their writes "
                                       "and reads, as Kafka allows");
}

TEST(ReadMetrics, TellsTheWorst) {
    HistoryBuilder run;
    sell(run, 2);
    run.wait(std::chrono::seconds(2));
    run.receive(billing_1, "o-0", "orders/0", 0);
    run.store("o-2", "orders/0", 2);
    run.receive(billing_1, "o-1", "orders/0", 1);
    run.receive(billing_2, "o-0", "orders/0", 0);
    const Verdict verdict = run.judge("read-metrics");
    EXPECT_EQ(verdict.kind, VerdictKind::holds);
    EXPECT_EQ(verdict.remark,
              "the longest from stored to handed out, of records that were, was 2.004 s; at most 2 "
              "stored records of a partition were not handed out yet; 1 were handed out again, one "
              "2 times in all; at the end 1 were not handed out, one for 2 ms");
    EXPECT_EQ(HistoryBuilder().judge("read-metrics").kind, VerdictKind::vacuous);
}

TEST(ReadMetrics, TellWhatIsOpenAtTheEndAndStillThere) {
    HistoryBuilder run;
    run.store("o-0", "orders/0", 0);
    run.receive(billing_1, "o-0", "orders/0", 0);
    run.store("o-1", "orders/0", 1);
    run.store("o-2", "orders/0", 2);
    run.wait(std::chrono::seconds(60)); // and reads no more
    EXPECT_THAT(run.judge("read-metrics").remark,
                HasSubstr("; at the end 2 were not handed out, one for 60.001 s"));
    run.lose_records("orders/0", 2, 2);
    run.store("o-3", "orders/0", 2);
    EXPECT_THAT(run.judge("read-metrics").remark, HasSubstr("at most 2 stored records"));
    EXPECT_THAT(run.judge("read-metrics").remark, HasSubstr("at the end 2 were"));
    run.move_start("orders/0", 2);
    EXPECT_THAT(run.judge("read-metrics").remark, HasSubstr("at the end 1 were"));
    run.compact("orders/0", 2);
    EXPECT_THAT(run.judge("read-metrics").remark, ::testing::Not(HasSubstr("at the end")));
}

TEST(DuplicateRecord, IsLegalForProducersThatAreNotIdempotent) {
    for (const auto* order : {"idempotent", "one-in-flight"}) {
        HistoryBuilder run;
        run.open_producer(shop_1, 0, "all", order);
        run.send(shop_1, "o-0", "orders/0", 0);
        run.store("o-0", "orders/0", 0);
        run.store("o-0", "orders/0", 1);
        const bool is_idempotent = std::string_view(order) == "idempotent";
        EXPECT_EQ(run.judge("duplicate-record").kind,
                  is_idempotent ? VerdictKind::violated : VerdictKind::holds)
            << order;
    }
}

} // namespace
} // namespace crier::properties::testing_support
