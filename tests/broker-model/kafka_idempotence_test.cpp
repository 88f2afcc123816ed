#include "broker-model/kafka/log/partition_log.hpp"
#include "tests/broker-model/kafka_client_fixture.hpp"
#include "tests/broker-model/kafka_fixture.hpp"

#include <limits>

namespace crier::broker::kafka::testing {
namespace {

using Values = std::vector<std::string>;

StoredBatch stored_batch(const ProducerStamp& stamp, std::size_t records, Offset base) {
    StoredBatch stored;
    stored.base_offset = base;
    stored.batch = KafkaFixture::batch(Values(records, "x"));
    stored.producer = stamp;
    return stored;
}

constexpr std::int32_t greatest = std::numeric_limits<std::int32_t>::max();

// The table of A3.4, step by step.
TEST(ProducerStates, AcceptsAnySequenceOfAnUnknownProducer) {
    const ProducerStates states;
    EXPECT_EQ(states.judge({7, 0, 41}, 1).error, ErrorCode::none);
    EXPECT_EQ(states.judge({}, 1).error, ErrorCode::none);
}

TEST(ProducerStates, KnowsCopiesOfTheLastFiveBatchesAndWhereTheyLie) {
    ProducerStates states;
    for (std::int32_t at = 0; at < 6; ++at)
        states.note(stored_batch({7, 0, at * 10}, 10, 100 + at * 10));
    EXPECT_EQ(states.judge({7, 0, 50}, 10).copy_at, 150);
    EXPECT_EQ(states.judge({7, 0, 10}, 10).copy_at, 110);
    EXPECT_EQ(states.judge({7, 0, 0}, 10).error, ErrorCode::out_of_order_sequence_number)
        << "the sixth is forgotten";
    EXPECT_EQ(states.judge({7, 0, 10}, 9).error, ErrorCode::out_of_order_sequence_number)
        << "another batch";
    EXPECT_EQ(states.judge({8, 0, 10}, 10).copy_at, -1) << "another producer";
}

TEST(ProducerStates, RefusesGapsAndOldEpochs) {
    ProducerStates states;
    states.note(stored_batch({7, 3, 0}, 2, 0));
    EXPECT_EQ(states.judge({7, 3, 2}, 1).error, ErrorCode::none);
    EXPECT_EQ(states.judge({7, 3, 3}, 1).error, ErrorCode::out_of_order_sequence_number);
    EXPECT_EQ(states.judge({7, 2, 2}, 1).error, ErrorCode::invalid_producer_epoch);
    EXPECT_EQ(states.judge({7, 4, 0}, 1).error, ErrorCode::none);
    EXPECT_EQ(states.judge({7, 4, 2}, 1).error, ErrorCode::out_of_order_sequence_number);
}

TEST(ProducerStates, SequencesWrapToZero) {
    EXPECT_EQ(sequence_after(greatest, 1), 0);
    EXPECT_EQ(sequence_after(greatest - 1, 3), 1);
    ProducerStates states;
    states.note(stored_batch({7, 0, greatest - 1}, 2, 0));
    EXPECT_EQ(states.judge({7, 0, 0}, 1).error, ErrorCode::none);
    EXPECT_EQ(states.judge({7, 0, greatest - 1}, 2).copy_at, 0);
}

TEST(ProducerStates, AreCutWithTheLog) {
    PartitionLog log;
    log.append(stored_batch({7, 0, 0}, 1, 0));
    log.append(stored_batch({7, 0, 1}, 1, 1));
    log.truncate(1);
    EXPECT_EQ(log.producers().judge({7, 0, 1}, 1).copy_at, -1);
    EXPECT_EQ(log.producers().judge({7, 0, 1}, 1).error, ErrorCode::none);
    EXPECT_EQ(log.producers().judge({7, 0, 0}, 1).copy_at, 0);
}

TEST(IdempotentProducer, GivesWayToSettingsThatContradictIt) {
    ProducerOptions options;
    EXPECT_TRUE(is_idempotent(options));
    options.acks = crier::kafka::Acks::leader;
    EXPECT_FALSE(is_idempotent(options));
    options = {};
    options.retries = 0;
    EXPECT_FALSE(is_idempotent(options));
    options = {};
    options.max_in_flight = 6;
    EXPECT_FALSE(is_idempotent(options));
}

TEST(IdempotentProducer, ALostAnswerMakesNoDuplicate) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    sim::Node& app = farm.add("app", [&](ClientProgram& it) {
        return send_all(it, one_by_one(), numbered("orders", 3), sent);
    });
    farm.add_call_fault(sim::FaultKind::lose_answer, app, calls::produce, 2);
    farm.run_for(10s);
    ASSERT_TRUE(sent.finished);
    ASSERT_TRUE(sent.outcomes[1]) << code_of(sent.outcomes[1]);
    EXPECT_EQ(sent.outcomes[1]->offset, 1);
    EXPECT_EQ(stored_in(farm, "orders", 0), (Values{"0", "1", "2"}));
}

// Not the first: a leader that knows nothing of a producer takes any sequence for its beginning.
TEST(IdempotentProducer, ARetriedBatchKeepsItsPlaceWithFiveInFlight) {
    for (std::uint32_t nth = 2; nth <= 6; ++nth) {
        Farm farm(nth, {topic_of("orders", 1)});
        Sent sent;
        sim::Node& app = farm.add("app", [&](ClientProgram& it) {
            return send_all(it, one_by_one(), numbered("orders", 7), sent);
        });
        farm.add_call_fault(sim::FaultKind::drop_request, app, calls::produce, nth);
        farm.run_for(20s);
        ASSERT_TRUE(sent.finished);
        for (const auto& outcome : sent.outcomes)
            EXPECT_TRUE(outcome) << code_of(outcome);
        EXPECT_EQ(stored_in(farm, "orders", 0), (Values{"0", "1", "2", "3", "4", "5", "6"}));
    }
}

asio::awaitable<void> send_one_after_another(ClientProgram& program, ProducerOptions options,
                                             Sent& sent) {
    const auto producer = program.client.producer(std::move(options));
    for (const ProducerRecord& record : numbered("orders", 4)) {
        std::vector<ProducerRecord> one{record};
        const SendOutcomes outcomes = co_await producer->send(std::move(one));
        sent.outcomes.push_back(outcomes.front());
    }
    sent.finished = true;
}

// The new leader knows the producers from the log that it copied.
TEST(IdempotentProducer, IsKnownToTheNextLeader) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    sim::Node& app = farm.add("app", [&](ClientProgram& it) {
        return send_all(it, one_by_one(), numbered("orders", 1), sent);
    });
    farm.add_call_fault(sim::FaultKind::lose_answer, app, calls::produce, 1);
    farm.run_for(500ms);
    const sim::Node* const leader = farm.cluster.leader_of(farm.cluster.partition(0, 0));
    farm.add_fault(sim::FaultKind::crash, {leader->id()}, 300s);
    farm.run_for(60s);
    ASSERT_TRUE(sent.finished);
    ASSERT_TRUE(sent.outcomes[0]) << code_of(sent.outcomes[0]);
    EXPECT_EQ(sent.outcomes[0]->offset, 0);
    EXPECT_EQ(stored_in(farm, "orders", 0), Values{"0"});
}

// Nothing connects one session with the next. A3.4.5.
TEST(IdempotentProducer, ARestartedOneDuplicates) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    sim::Node& app = farm.add("app", [&](ClientProgram& it) {
        return send_all(it, one_by_one(), numbered("orders", 1), sent);
    });
    farm.run_for(5s);
    farm.add_fault(sim::FaultKind::crash, {app.id()}, 1s);
    farm.run_for(10s);
    EXPECT_EQ(stored_in(farm, "orders", 0), (Values{"0", "0"}));
}

// What expired leaves a hole in the numbers, so the epoch is raised and they begin anew.
TEST(IdempotentProducer, GoesOnInANewEpochAfterABatchThatExpired) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    ProducerOptions options = one_by_one();
    options.delivery_timeout = 3s;
    sim::Node& app = farm.add(
        "app", [&](ClientProgram& it) { return send_one_after_another(it, options, sent); });
    for (std::uint32_t nth = 3; nth <= 5; ++nth)
        farm.add_call_fault(sim::FaultKind::drop_request, app, calls::produce, nth);
    farm.run_for(60s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes[2]), "unknown REQUEST_TIMED_OUT");
    EXPECT_EQ(code_of(sent.outcomes[3]), "stored");
    EXPECT_EQ(stored_in(farm, "orders", 0), (Values{"0", "1", "3"}));
}

/// Sends record after record, each when the one before has its outcome or after a short while.
asio::awaitable<void> send_steadily(ClientProgram& program, ProducerOptions options,
                                    std::vector<std::string>& said) {
    const auto producer = program.client.producer(std::move(options));
    std::vector<ProducerRecord> records = numbered("orders", 40);
    for (std::size_t at = 0; at < records.size(); at += 4) {
        std::vector<ProducerRecord> some(records.begin() + static_cast<std::ptrdiff_t>(at),
                                         records.begin() + static_cast<std::ptrdiff_t>(at + 4));
        const SendOutcomes outcomes = co_await producer->send(std::move(some));
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            if (outcomes[i]) said.push_back(std::to_string(at + i));
        }
        co_await program.ports.sleep(300ms);
    }
}

// Whatever is lost on the way and whoever leads: no copies, no inversions, and nothing missing of
// what was called stored.
TEST(IdempotentProducer, KeepsOrderWithoutCopiesThroughFaults) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Farm farm(seed, {topic_of("orders", 1)});
        std::vector<std::string> said;
        sim::Node& app = farm.add(
            "app", [&](ClientProgram& it) { return send_steadily(it, one_by_one(), said); });
        const auto nth = [seed](std::uint64_t salt) {
            return static_cast<std::uint32_t>(sim::mix(seed, salt) % 36 + 5);
        };
        farm.add_call_fault(sim::FaultKind::lose_answer, app, calls::produce, nth(1));
        farm.add_call_fault(sim::FaultKind::lose_answer, app, calls::produce, nth(2));
        farm.add_call_fault(sim::FaultKind::drop_request, app, calls::produce, nth(3));
        farm.run_for(1s);
        const sim::Node* const leader = farm.cluster.leader_of(farm.cluster.partition(0, 0));
        farm.add_fault(seed % 2 == 0 ? sim::FaultKind::crash : sim::FaultKind::partition,
                       {leader->id()}, 20s);
        farm.run_for(150s);
        const Values stored = stored_in(farm, "orders", 0);
        std::vector<int> numbers;
        for (const std::string& value : stored)
            numbers.push_back(std::stoi(value));
        EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end(), std::less_equal<>()))
            << "seed " << seed << ": " << ::testing::PrintToString(stored);
        EXPECT_EQ(said.size(), 40u) << seed;
        for (const std::string& value : said) {
            EXPECT_NE(std::find(stored.begin(), stored.end(), value), stored.end())
                << "seed " << seed << " lost " << value;
        }
    }
}

} // namespace
} // namespace crier::broker::kafka::testing
