#include "broker-model/kafka/log/partition_log.hpp"
#include "broker-model/kafka/transactions/transaction.hpp"
#include "broker-model/kafka/transactions/transaction_records.hpp"
#include "tests/broker-model/kafka_fixture.hpp"

#include <limits>

// What a coordinator and a leader decide, rule by rule and without a network.

namespace crier::broker::kafka::testing {
namespace {

using State = TransactionState;

constexpr TransactionRules version_1{true, false};
constexpr TransactionRules version_2{true, true};
constexpr TransactionRules version_0{false, false};

Transaction transaction(State state, std::int16_t epoch = 5) {
    Transaction made;
    made.id = "copy";
    made.producer = 7;
    made.epoch = epoch;
    made.last_epoch = static_cast<std::int16_t>(epoch - 1);
    made.timeout = std::chrono::seconds(60);
    made.state = state;
    if (state == State::ongoing) made.partitions = {1, 3};
    return made;
}

EndTransactionRequest end_request(bool committed, std::int16_t epoch, std::int64_t producer = 7) {
    return {"copy", producer, epoch, committed};
}

InitProducerIdRequest take_request(std::int64_t producer = -1, std::int16_t epoch = -1) {
    return {"copy", std::chrono::seconds(30), producer, epoch};
}

// A4.3
TEST(TransactionRules, WhoTakesTheIdGetsAHigherEpoch) {
    for (const State state : {State::empty, State::complete_commit, State::complete_abort}) {
        const TransactionStep step = take_id(transaction(state), take_request(), version_2, -1);
        ASSERT_TRUE(step.next);
        EXPECT_EQ(step.next->epoch, 6);
        EXPECT_EQ(step.next->state, State::empty);
        EXPECT_EQ(step.next->timeout, std::chrono::seconds(30));
    }
    for (const State state : {State::prepare_commit, State::prepare_abort}) {
        const TransactionStep step = take_id(transaction(state), take_request(), version_2, -1);
        EXPECT_EQ(step.error, ErrorCode::concurrent_transactions);
        EXPECT_FALSE(step.next);
    }
}

TEST(TransactionRules, WhoTakesTheIdOfAnOpenTransactionHasItAbortedFirst) {
    const TransactionStep before =
        take_id(transaction(State::ongoing), take_request(), version_1, -1);
    EXPECT_EQ(before.error, ErrorCode::concurrent_transactions);
    ASSERT_TRUE(before.next);
    EXPECT_EQ(before.next->state, State::prepare_abort);
    EXPECT_EQ(before.next->epoch, 6) << "the fence";
    const TransactionStep since =
        take_id(transaction(State::ongoing), take_request(), version_2, -1);
    EXPECT_EQ(since.next->epoch, 6) << "its end is the fence";
}

// A real Kafka answers so (KAFKA-19367): who is late learns that it was aborted, not that it is
// fenced.
TEST(TransactionRules, WhoseTransactionTimedOutMayStillAbortButNotCommitIt) {
    const Transaction fenced =
        complete(abort_and_fence(transaction(State::ongoing), version_2, -1));
    EXPECT_EQ(end(fenced, end_request(false, 5), version_2, -1).error, ErrorCode::none);
    EXPECT_EQ(end(fenced, end_request(true, 5), version_2, -1).error, ErrorCode::invalid_txn_state);
    const Transaction before =
        complete(abort_and_fence(transaction(State::ongoing), version_1, -1));
    EXPECT_EQ(end(before, end_request(false, 5), version_1, -1).error, ErrorCode::producer_fenced);
}

TEST(TransactionRules, AProducerMayAskForAnEpochAboveItsOwn) {
    const Transaction now = transaction(State::complete_abort);
    EXPECT_EQ(take_id(now, take_request(7, 5), version_1, -1).next->epoch, 6);
    EXPECT_EQ(take_id(now, take_request(7, 4), version_1, -1).next->epoch, 5)
        << "the answer was lost: the same again";
    EXPECT_EQ(take_id(now, take_request(7, 3), version_1, -1).error, ErrorCode::producer_fenced);
    EXPECT_EQ(take_id(now, take_request(8, 5), version_1, -1).error, ErrorCode::producer_fenced);
}

TEST(TransactionRules, AfterTheLastEpochComesAnotherProducerId) {
    constexpr std::int16_t last = std::numeric_limits<std::int16_t>::max() - 1;
    const TransactionStep taken =
        take_id(transaction(State::empty, last), take_request(), version_2, 9);
    EXPECT_EQ(taken.next->producer, 9);
    EXPECT_EQ(taken.next->epoch, 0);
    const TransactionStep ended =
        end(transaction(State::ongoing, last), end_request(true, last), version_2, 9);
    const Transaction done = complete(*ended.next);
    EXPECT_EQ(done.producer, 9);
    EXPECT_EQ(done.epoch, 0);
    const Transaction timed_out =
        complete(abort_and_fence(transaction(State::ongoing, last), version_2, 11));
    EXPECT_EQ(timed_out.producer, 11);
    EXPECT_EQ(timed_out.epoch, 0);
    const TransactionStep again = end(done, end_request(true, last), version_2, 10);
    EXPECT_EQ(again.error, ErrorCode::none) << "a retry under the id of before";
    EXPECT_FALSE(again.next);
}

// A4.4
TEST(TransactionRules, PartitionsAreAddedByTheirOwnerOnly) {
    AddPartitionsRequest request{"copy", 7, 5, {4, 2}, false};
    const TransactionStep step = add_partitions(transaction(State::empty), request, WallTime{});
    ASSERT_TRUE(step.next);
    EXPECT_EQ(step.next->state, State::ongoing);
    EXPECT_EQ(step.next->partitions, (std::vector<PartitionId>{2, 4}));
    request.partitions = {3};
    const TransactionStep known = add_partitions(transaction(State::ongoing), request, WallTime{});
    EXPECT_EQ(known.error, ErrorCode::none);
    EXPECT_FALSE(known.next);
    EXPECT_EQ(add_partitions(transaction(State::prepare_commit), request, WallTime{}).error,
              ErrorCode::concurrent_transactions);
    request.epoch = 4;
    EXPECT_EQ(add_partitions(transaction(State::empty), request, WallTime{}).error,
              ErrorCode::producer_fenced);
    request.producer = 8;
    EXPECT_EQ(add_partitions(transaction(State::empty), request, WallTime{}).error,
              ErrorCode::invalid_producer_id_mapping);
}

TEST(TransactionRules, ALeaderIsToldWhetherAPartitionIsPartOfIt) {
    const AddPartitionsRequest request{"copy", 7, 5, {3}, true};
    EXPECT_EQ(verify_partition(transaction(State::ongoing), request, 3), ErrorCode::none);
    EXPECT_EQ(verify_partition(transaction(State::ongoing), request, 2),
              ErrorCode::transaction_abortable);
    EXPECT_EQ(verify_partition(transaction(State::complete_abort), request, 3),
              ErrorCode::transaction_abortable);
}

// A4.5, the older protocol
TEST(TransactionRules, VersionOneKnowsARetryByTheState) {
    const TransactionStep step =
        end(transaction(State::ongoing), end_request(true, 5), version_1, -1);
    EXPECT_EQ(step.next->state, State::prepare_commit);
    EXPECT_EQ(step.next->epoch, 5);
    const auto error_of = [](State state, bool committed, std::int16_t epoch) {
        return end(transaction(state), end_request(committed, epoch), version_1, -1).error;
    };
    EXPECT_EQ(error_of(State::ongoing, true, 4), ErrorCode::producer_fenced);
    EXPECT_EQ(error_of(State::prepare_commit, true, 5), ErrorCode::concurrent_transactions);
    EXPECT_EQ(error_of(State::prepare_commit, false, 5), ErrorCode::invalid_txn_state);
    EXPECT_EQ(error_of(State::complete_commit, true, 5), ErrorCode::none);
    EXPECT_EQ(error_of(State::complete_commit, false, 5), ErrorCode::invalid_txn_state);
    EXPECT_EQ(error_of(State::complete_abort, false, 5), ErrorCode::none);
    EXPECT_EQ(error_of(State::empty, true, 5), ErrorCode::invalid_txn_state);
    EXPECT_EQ(error_of(State::empty, false, 5), ErrorCode::invalid_txn_state);
}

// A4.5, the table of the stricter protocol
TEST(TransactionRules, VersionTwoKnowsARetryByTheEpoch) {
    const TransactionStep step =
        end(transaction(State::ongoing), end_request(true, 5), version_2, -1);
    EXPECT_EQ(step.next->state, State::prepare_commit);
    EXPECT_EQ(step.next->epoch, 6);
    struct Row {
        State state;
        ErrorCode abort_before, abort_now, commit_before, commit_now;
    };
    constexpr ErrorCode none = ErrorCode::none;
    constexpr ErrorCode fenced = ErrorCode::producer_fenced;
    constexpr ErrorCode invalid = ErrorCode::invalid_txn_state;
    for (const Row& row : {Row{State::empty, fenced, none, fenced, invalid},
                           Row{State::complete_abort, none, none, invalid, invalid},
                           Row{State::complete_commit, invalid, none, none, invalid}}) {
        const Transaction now = transaction(row.state);
        EXPECT_EQ(end(now, end_request(false, 4), version_2, -1).error, row.abort_before);
        const TransactionStep aborted = end(now, end_request(false, 5), version_2, -1);
        EXPECT_EQ(aborted.error, row.abort_now);
        EXPECT_EQ(aborted.next->epoch, 6) << "an abort of nothing ends the epoch, too";
        EXPECT_EQ(end(now, end_request(true, 4), version_2, -1).error, row.commit_before);
        EXPECT_EQ(end(now, end_request(true, 5), version_2, -1).error, row.commit_now);
    }
    EXPECT_EQ(end(transaction(State::prepare_commit), end_request(true, 4), version_2, -1).error,
              ErrorCode::concurrent_transactions);
    EXPECT_EQ(end(transaction(State::prepare_commit), end_request(true, 5), version_2, -1).error,
              fenced);
    EXPECT_EQ(end(transaction(State::ongoing), end_request(true, 4), version_2, -1).error, fenced);
}

TEST(TransactionRules, SurviveTheCoordinatorsLog) {
    Transaction written = transaction(State::prepare_abort);
    written.next_producer = 12;
    written.partitions = {3, 9};
    const std::optional<Transaction> read = read_transaction_record(write_record(written));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->id, written.id);
    EXPECT_EQ(read->producer, written.producer);
    EXPECT_EQ(read->next_producer, written.next_producer);
    EXPECT_EQ(read->epoch, written.epoch);
    EXPECT_EQ(read->last_epoch, written.last_epoch);
    EXPECT_EQ(read->timeout, written.timeout);
    EXPECT_EQ(read->state, written.state);
    EXPECT_EQ(read->partitions, written.partitions);
}

// --- what a leader knows

StoredBatch batch_of(Offset base, std::int64_t producer, std::int16_t epoch, std::int32_t sequence,
                     bool transactional = true) {
    StoredBatch stored;
    stored.base_offset = base;
    stored.batch = KafkaFixture::batch({"x"});
    stored.producer = {producer, epoch, sequence, transactional};
    return stored;
}

StoredBatch marker_of(Offset base, std::int64_t producer, std::int16_t epoch, Marker marker,
                      std::int32_t coordinator_epoch = 0) {
    StoredBatch stored = batch_of(base, producer, epoch, -1);
    stored.marker = marker;
    stored.coordinator_epoch = coordinator_epoch;
    return stored;
}

// A3.4, steps 2a, 2b and 4
TEST(TransactionalProducerStates, AFirstBatchMustHaveBeenVerified) {
    ProducerStates states;
    const ProducerStamp first{7, 0, 0, true};
    EXPECT_EQ(states.judge(first, 1, version_1, 0).error, ErrorCode::invalid_txn_state);
    const std::uint32_t guard = states.begin_verification(first, 1);
    EXPECT_EQ(states.judge(first, 1, version_1, guard).error, ErrorCode::none);
    states.note(batch_of(0, 7, 0, 0));
    EXPECT_TRUE(states.is_open(first));
    EXPECT_EQ(states.judge({7, 0, 1, true}, 1, version_1, 0).error, ErrorCode::none)
        << "while the transaction is open nothing is asked";
    EXPECT_EQ(states.judge({7, 0, 1, false}, 1, version_1, 0).error, ErrorCode::invalid_txn_state)
        << "A3.4.2";
    const ProducerStates fresh;
    EXPECT_EQ(fresh.judge({7, 0, 3, true}, 1, version_0, 0).error, ErrorCode::none);
    ProducerStates strict;
    const std::uint32_t asked = strict.begin_verification({7, 0, 3, true}, 1);
    EXPECT_EQ(strict.judge({7, 0, 3, true}, 1, version_2, asked).error,
              ErrorCode::out_of_order_sequence_number);
}

TEST(TransactionalProducerStates, AMarkerVoidsAVerification) {
    ProducerStates states;
    const std::uint32_t guard = states.begin_verification({7, 0, 0, true}, 1);
    states.note(marker_of(0, 7, 0, Marker::abort));
    EXPECT_EQ(states.judge({7, 0, 0, true}, 1, version_1, guard).error,
              ErrorCode::invalid_txn_state);
}

// A3.4, step 5
TEST(TransactionalProducerStates, ALaterBatchWaitsForTheOneThatIsBeingVerified) {
    ProducerStates states;
    const std::uint32_t guard = states.begin_verification({7, 0, 0, true}, 1);
    EXPECT_EQ(states.begin_verification({7, 0, 4, true}, 2), guard);
    EXPECT_EQ(states.judge({7, 0, 4, true}, 1, version_1, guard).error,
              ErrorCode::out_of_order_sequence_number);
}

// A4.6.2 and A4.6.3
TEST(TransactionalProducerStates, MarkersOfThePastAreRefused) {
    ProducerStates states;
    states.note(batch_of(0, 7, 3, 0));
    EXPECT_EQ(states.judge_marker({7, 2, -1, true}, 0, version_1),
              ErrorCode::invalid_producer_epoch);
    EXPECT_EQ(states.judge_marker({7, 3, -1, true}, 0, version_1), ErrorCode::none);
    EXPECT_EQ(states.judge_marker({7, 3, -1, true}, 0, version_2),
              ErrorCode::invalid_producer_epoch)
        << "a late end of the transaction before";
    EXPECT_EQ(states.judge_marker({7, 4, -1, true}, 0, version_2), ErrorCode::none);
    states.note(marker_of(1, 7, 4, Marker::commit, 6));
    EXPECT_EQ(states.judge_marker({7, 4, -1, true}, 6, version_2), ErrorCode::none)
        << "the same marker again";
    EXPECT_EQ(states.judge_marker({7, 4, -1, true}, 5, version_2),
              ErrorCode::transaction_coordinator_fenced);
}

// A4.6.4 and A4.6.5
TEST(TransactionalLog, TheLastStableOffsetStopsAtTheFirstUndecided) {
    PartitionLog log;
    log.append(batch_of(0, 7, 0, 0));
    log.append(batch_of(1, 8, 0, 0));
    log.append(batch_of(2, 9, 0, 0, false));
    EXPECT_EQ(log.last_stable_offset(3), 0);
    log.append(marker_of(3, 7, 0, Marker::commit));
    EXPECT_EQ(log.last_stable_offset(3), 0) << "its marker is not below the watermark";
    EXPECT_EQ(log.last_stable_offset(4), 1);
    log.append(marker_of(4, 8, 0, Marker::abort));
    EXPECT_EQ(log.last_stable_offset(5), 5);
    ASSERT_EQ(log.aborted(0, 5).size(), 1u);
    EXPECT_EQ(log.aborted(0, 5).front().producer, 8);
    EXPECT_EQ(log.aborted(0, 5).front().first, 1);
    EXPECT_TRUE(log.aborted(0, 1).empty());
    EXPECT_TRUE(log.aborted(5, 9).empty());
    log.truncate(4);
    EXPECT_EQ(log.last_stable_offset(4), 1) << "open again, with its marker cut off";
    EXPECT_TRUE(log.aborted(0, 4).empty());
}

// A13.9, for the books of coordinators
TEST(TransactionalLog, CompactionKeepsMarkersOfWhatItKeepsAndNothingThatWasAborted) {
    PartitionLog log;
    const auto keyed = [&log](std::int64_t producer, std::string value) {
        StoredBatch stored = batch_of(log.end(), producer, 0, -1);
        auto records = std::make_shared<RecordBatch>(*stored.batch);
        records->records.front().key = "group";
        records->records.front().value = std::move(value);
        stored.batch = records;
        log.append(stored);
    };
    for (int at = 0; at < 200; ++at) {
        keyed(7, std::to_string(at));
        log.append(marker_of(log.end(), 7, 0, Marker::commit));
    }
    keyed(8, "aborted");
    log.append(marker_of(log.end(), 8, 0, Marker::abort));
    log.compact_internal(log.end(), 0);
    EXPECT_GT(log.batches().size(), 200u) << "markers stay for as long as tombstones";
    for (int at = 0; at < 300; ++at)
        keyed(7, "199");
    log.append(marker_of(log.end(), 7, 0, Marker::commit));
    log.compact_internal(log.end(), Duration(std::chrono::hours(48)).count());
    ASSERT_EQ(log.batches().size(), 3u) << "the first of them has just lost its record";
    EXPECT_EQ(log.batches()[1].batch->records.front().value, "199");
    EXPECT_EQ(log.batches()[2].marker, Marker::commit);
}

} // namespace
} // namespace crier::broker::kafka::testing
