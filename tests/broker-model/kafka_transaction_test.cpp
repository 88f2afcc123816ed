#include "tests/broker-model/kafka_client_fixture.hpp"

// Transactions from end to end: a client library against the cluster, with rule numbers of
// docs/kafka-model.md in the comments.

namespace crier::broker::kafka::testing {
namespace {

using crier::kafka::Isolation;
using crier::kafka::TransactionalProducer;
using crier::kafka::TransactionPhase;
using Values = std::vector<std::string>;

ProducerOptions transactional(std::string id) {
    ProducerOptions options;
    options.transactional_id = std::move(id);
    options.linger = 0ms;
    options.request_timeout = 1s;
    return options;
}

ClusterOptions version(int transaction_version) {
    ClusterOptions options = quick_cluster();
    options.transaction_version = transaction_version;
    return options;
}

struct Story {
    Values notes;
    Values values; // of a reader

    void note(const std::string& what, const Outcome<void>& outcome) {
        notes.push_back(what + (outcome
                                    ? ": done"
                                    : (is_unknown(outcome.error()) ? ": unknown " : ": failed ") +
                                          outcome.error().code.message()));
    }
    void note(const std::string& what, const SendOutcomes& outcomes) {
        for (const auto& outcome : outcomes)
            notes.push_back(what + ": " + code_of(outcome));
    }
};

std::vector<ProducerRecord> one(std::string topic, std::int32_t partition, std::string value) {
    std::vector<ProducerRecord> records;
    records.push_back(record_at(std::move(topic), partition, std::move(value)));
    records.back().headers.push_back({std::string(id_header), records.back().value});
    return records;
}

asio::awaitable<void> read(ClientProgram& program, Isolation isolation, Story& story) {
    ConsumerOptions options = group_options("readers");
    options.isolation = isolation;
    const auto consumer = program.client.consumer(options);
    consumer->subscribe({"orders"}, nullptr);
    for (;;) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        if (!polled) continue;
        for (const ConsumerRecord& record : *polled)
            story.values.push_back(record.value);
    }
}

asio::awaitable<void> stay(ClientProgram& program) {
    co_await program.ports.sleep(std::chrono::hours(1));
}

// --- commit and abort, read by both kinds of readers (A4.6.5, A4.6.7, A4.6.1)

asio::awaitable<void> commit_then_abort(ClientProgram& program, Story& story) {
    const auto producer = program.client.transactional_producer(transactional("copy"));
    story.note("init", co_await producer->init());
    for (const bool commits : {true, false, true}) {
        producer->begin();
        const std::string name = commits ? "kept-" : "dropped-";
        for (int at = 0; at < 2; ++at) {
            auto records = one("orders", at, name + std::to_string(story.notes.size()));
            story.note("send", co_await producer->send(std::move(records)));
        }
        if (commits) {
            story.note("commit", co_await producer->commit());
        } else {
            story.note("abort", co_await producer->abort());
        }
    }
    co_await stay(program);
}

class KafkaTransaction : public ::testing::TestWithParam<int> {};

TEST_P(KafkaTransaction, CommittedRecordsAreReadAndAbortedOnesAreNot) {
    Farm farm(1, {topic_of("orders", 2)}, version(GetParam()));
    Story writer;
    Story committed;
    farm.add("writer", [&](ClientProgram& it) { return commit_then_abort(it, writer); });
    farm.add("careful",
             [&](ClientProgram& it) { return read(it, Isolation::read_committed, committed); });
    farm.run_for(20s);
    EXPECT_EQ(writer.notes, (Values{"init: done", "send: stored", "send: stored", "commit: done",
                                    "send: stored", "send: stored", "abort: done", "send: stored",
                                    "send: stored", "commit: done"}));
    std::sort(committed.values.begin(), committed.values.end());
    EXPECT_EQ(committed.values, (Values{"kept-1", "kept-2", "kept-7", "kept-8"}));
    EXPECT_EQ(farm.count(events::aborted), 2u);
    EXPECT_EQ(farm.count(events::stored), 4u) << "told when their markers were stored";
    EXPECT_EQ(stored_in(farm, "orders", 0), (Values{"kept-1", "kept-7"}));
}

TEST_P(KafkaTransaction, ReadersOfEverythingSeeAbortedRecords) {
    Farm farm(1, {topic_of("orders", 2)}, version(GetParam()));
    Story writer;
    Story all;
    farm.add("writer", [&](ClientProgram& it) { return commit_then_abort(it, writer); });
    farm.add("careless",
             [&](ClientProgram& it) { return read(it, Isolation::read_uncommitted, all); });
    farm.run_for(20s);
    EXPECT_EQ(all.values.size(), 6u);
}

// --- an open transaction holds readers back, also from what others write (A4.6.4, A4.6.6)

asio::awaitable<void> leave_open(ClientProgram& program, Story& story, Duration timeout) {
    ProducerOptions options = transactional("open");
    options.transaction_timeout = timeout;
    const auto producer = program.client.transactional_producer(options);
    story.note("init", co_await producer->init());
    producer->begin();
    story.note("send", co_await producer->send(one("orders", 0, "open")));
    co_await program.ports.sleep(60s);
    story.note("send", co_await producer->send(one("orders", 0, "late")));
    story.note("commit", co_await producer->commit());
    const bool is_over = producer->phase() == TransactionPhase::fatal;
    story.notes.push_back(is_over ? "fatal" : "may abort");
    if (!is_over) story.note("abort", co_await producer->abort());
    story.notes.push_back(producer->phase() == TransactionPhase::fatal ? "fatal" : "ready");
    co_await stay(program);
}

TEST_P(KafkaTransaction, AnOpenOneHoldsReadersBackUntilItTimesOut) {
    Farm farm(1, {topic_of("orders", 1)}, version(GetParam()));
    Story writer;
    Story reader;
    farm.add("writer", [&](ClientProgram& it) { return leave_open(it, writer, 20s); });
    farm.run_for(2s);
    Sent plain;
    farm.add("plain", [&](ClientProgram& it) {
        return send_all(it, one_by_one(), one("orders", 0, "plain"), plain);
    });
    farm.add("reader",
             [&](ClientProgram& it) { return read(it, Isolation::read_committed, reader); });
    farm.run_for(15s);
    ASSERT_TRUE(plain.finished);
    EXPECT_TRUE(reader.values.empty()) << "the last stable offset is before the open transaction";
    farm.run_for(20s); // 20 s of its own, and up to 10 s until the coordinator looks
    EXPECT_EQ(reader.values, (Values{"plain"}));
    farm.run_for(60s);
    // A4.5.4: the epoch is higher now; the producer learns it from the leader, and may not go on.
    ASSERT_GE(writer.notes.size(), 4u);
    EXPECT_EQ(writer.notes[2], "send: failed INVALID_PRODUCER_EPOCH");
    EXPECT_EQ(writer.notes[3], "commit: failed INVALID_PRODUCER_EPOCH");
    EXPECT_EQ(reader.values, (Values{"plain"})) << "nothing of the zombie is ever read";
}

// --- a new producer fences the one before (A4.3.1)

asio::awaitable<void> zombie(ClientProgram& program, Story& story) {
    const auto producer = program.client.transactional_producer(transactional("same"));
    story.note("init", co_await producer->init());
    producer->begin();
    story.note("send", co_await producer->send(one("orders", 0, "first")));
    co_await program.ports.sleep(20s);
    story.note("send", co_await producer->send(one("orders", 0, "zombie")));
    story.note("send", co_await producer->send(one("orders", 1, "zombie elsewhere")));
    story.note("commit", co_await producer->commit());
    co_await stay(program);
}

asio::awaitable<void> heir(ClientProgram& program, Story& story) {
    const auto producer = program.client.transactional_producer(transactional("same"));
    story.note("init", co_await producer->init());
    producer->begin();
    story.note("send", co_await producer->send(one("orders", 0, "heir")));
    story.note("commit", co_await producer->commit());
    co_await stay(program);
}

TEST_P(KafkaTransaction, ANewProducerFencesTheOneBeforeAndAbortsWhatItLeft) {
    Farm farm(1, {topic_of("orders", 2)}, version(GetParam()));
    Story old;
    Story fresh;
    Story reader;
    farm.add("old", [&](ClientProgram& it) { return zombie(it, old); });
    farm.run_for(3s);
    farm.add("new", [&](ClientProgram& it) { return heir(it, fresh); });
    farm.add("reader",
             [&](ClientProgram& it) { return read(it, Isolation::read_committed, reader); });
    farm.run_for(40s);
    EXPECT_EQ(fresh.notes, (Values{"init: done", "send: stored", "commit: done"}));
    ASSERT_EQ(old.notes.size(), 5u);
    EXPECT_EQ(old.notes[2], "send: failed INVALID_PRODUCER_EPOCH");
    EXPECT_NE(old.notes[3], "send: stored") << "also where the new one has not been";
    EXPECT_NE(old.notes[4], "commit: done");
    EXPECT_EQ(reader.values, (Values{"heir"}));
}

asio::awaitable<void> late_sender(ClientProgram& program, Story& story, Duration& took) {
    const auto producer = program.client.transactional_producer(transactional("same"));
    story.note("init", co_await producer->init());
    producer->begin();
    co_await program.ports.sleep(10s);
    const Instant asked = program.ports.now();
    story.note("send", co_await producer->send(one("orders", 0, "late")));
    took = program.ports.now() - asked;
    story.note("abort", co_await producer->abort());
    co_await stay(program);
}

// Where the coordinator is asked before anything is sent (version 1), the record is never sent at
// all; it does not wait for its delivery timeout (A4.8).
TEST_P(KafkaTransaction, WhatAFencedOneSendsFailsAtOnce) {
    Farm farm(1, {topic_of("orders", 2)}, version(GetParam()));
    Story old;
    Story fresh;
    Duration took{};
    farm.add("old", [&](ClientProgram& it) { return late_sender(it, old, took); });
    farm.run_for(3s);
    farm.add("new", [&](ClientProgram& it) { return heir(it, fresh); });
    farm.run_for(40s);
    ASSERT_EQ(old.notes.size(), 3u);
    EXPECT_TRUE(old.notes[1].starts_with("send: failed ")) << old.notes[1];
    EXPECT_NE(old.notes[2], "abort: done");
    EXPECT_LT(took, 1s);
}

// --- offsets inside a transaction (A4.7)

asio::awaitable<void> copy(ClientProgram& program, Story& story, bool commits) {
    const auto producer = program.client.transactional_producer(transactional("copy"));
    story.note("init", co_await producer->init());
    ConsumerOptions options = group_options("copiers");
    options.enable_auto_commit = false;
    options.isolation = Isolation::read_committed;
    const auto consumer = program.client.consumer(options);
    consumer->subscribe({"orders"}, nullptr);
    for (;;) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        if (!polled || polled->empty()) continue;
        producer->begin();
        for (const ConsumerRecord& record : *polled) {
            story.values.push_back(record.value);
            story.note("send",
                       co_await producer->send(one("copies", 0, "copy of " + record.value)));
        }
        std::vector<TopicPartitionOffset> offsets = after(*polled);
        crier::kafka::GroupMetadata group = consumer->group_metadata();
        story.note("offsets",
                   co_await producer->send_offsets(std::move(offsets), std::move(group)));
        if (commits) {
            story.note("commit", co_await producer->commit());
        } else {
            story.note("abort", co_await producer->abort());
        }
    }
}

TEST_P(KafkaTransaction, OffsetsCountWithItsCommit) {
    Farm farm(1, {topic_of("orders", 1), topic_of("copies", 1)}, version(GetParam()));
    Sent sent;
    farm.add("source", [&](ClientProgram& it) {
        return send_all(it, one_by_one(), one("orders", 0, "a"), sent);
    });
    Story first;
    sim::Node& node = farm.add("copier", [&](ClientProgram& it) { return copy(it, first, true); });
    farm.run_for(15s);
    EXPECT_EQ(first.notes, (Values{"init: done", "send: stored", "offsets: done", "commit: done"}));
    EXPECT_EQ(farm.count(events::offset_committed), 1u);
    farm.add_fault(sim::FaultKind::crash, {node.id()}, 1s);
    farm.run_for(80s);
    EXPECT_EQ(first.values, (Values{"a"})) << "its next life goes on behind it";
}

TEST_P(KafkaTransaction, OffsetsOfAnAbortedOneDoNotCount) {
    Farm farm(1, {topic_of("orders", 1), topic_of("copies", 1)}, version(GetParam()));
    Sent sent;
    farm.add("source", [&](ClientProgram& it) {
        return send_all(it, one_by_one(), one("orders", 0, "a"), sent);
    });
    Story story;
    sim::Node& node = farm.add("copier", [&](ClientProgram& it) { return copy(it, story, false); });
    farm.run_for(15s);
    EXPECT_EQ(farm.count(events::offset_committed), 0u);
    farm.add_fault(sim::FaultKind::crash, {node.id()}, 1s);
    farm.run_for(80s);
    EXPECT_EQ(story.values, (Values{"a", "a"})) << "its next life reads it again";
    EXPECT_TRUE(stored_in(farm, "copies", 0).empty());
}

// --- an answer that is lost, a coordinator that moves (A4.5.2, A4.5)

asio::awaitable<void> write_many(ClientProgram& program, Story& story, int count) {
    const auto producer = program.client.transactional_producer(transactional("many"));
    for (;;) {
        const Outcome<void> outcome = co_await producer->init();
        if (outcome) break;
    }
    for (int at = 0; at < count; ++at) {
        producer->begin();
        for (int partition = 0; partition < 2; ++partition) {
            story.note("send",
                       co_await producer->send(one("orders", partition, std::to_string(at))));
        }
        for (;;) {
            const Outcome<void> outcome = co_await producer->commit();
            if (producer->phase() == TransactionPhase::unsettled) continue;
            story.note("commit", outcome);
            break;
        }
        if (producer->phase() == TransactionPhase::abortable) {
            story.note("abort", co_await producer->abort());
        }
    }
    co_await stay(program);
}

TEST_P(KafkaTransaction, AnEndWhoseAnswerIsLostIsAskedForAgain) {
    for (const std::uint32_t nth : {1u, 2u, 3u}) {
        Farm farm(nth, {topic_of("orders", 2)}, version(GetParam()));
        Story story;
        sim::Node& node =
            farm.add("writer", [&](ClientProgram& it) { return write_many(it, story, 3); });
        farm.add_call_fault(sim::FaultKind::lose_answer, node, calls::end_txn, nth);
        farm.run_for(60s);
        EXPECT_EQ(stored_in(farm, "orders", 0), (Values{"0", "1", "2"}));
        EXPECT_EQ(stored_in(farm, "orders", 1), (Values{"0", "1", "2"}));
        EXPECT_EQ(std::count(story.notes.begin(), story.notes.end(), "commit: done"), 3);
        EXPECT_EQ(farm.count(events::transaction_decided), 3u);
    }
}

// The first batch of the next arrives while the markers of the last are still on their way.
TEST_P(KafkaTransaction, OneFollowsTheOtherWithoutAPause) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        Farm farm(seed, {topic_of("orders", 2)}, version(GetParam()));
        Story story;
        farm.add("writer", [&](ClientProgram& it) { return write_many(it, story, 30); });
        farm.run_for(60s);
        EXPECT_EQ(std::count(story.notes.begin(), story.notes.end(), "send: stored"), 60);
        EXPECT_EQ(std::count(story.notes.begin(), story.notes.end(), "commit: done"), 30);
        EXPECT_EQ(story.notes.size(), 90u) << "and nothing else happened";
    }
}

TEST_P(KafkaTransaction, EndsUnderTheNextCoordinatorWhatTheOneBeforeDecided) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        Farm farm(seed, {topic_of("orders", 2)}, version(GetParam()));
        Story story;
        farm.add("writer", [&](ClientProgram& it) { return write_many(it, story, 40); });
        Story reader;
        farm.add("reader",
                 [&](ClientProgram& it) { return read(it, Isolation::read_committed, reader); });
        farm.run_for(3s + static_cast<int>(seed) * 37ms);
        sim::Node* const coordinator =
            farm.cluster.leader_of(farm.cluster.transactions_partition("many"));
        ASSERT_NE(coordinator, nullptr);
        farm.add_fault(sim::FaultKind::crash, {coordinator->id()}, 5s);
        farm.run_for(200s);
        const auto committed = static_cast<std::size_t>(
            std::count(story.notes.begin(), story.notes.end(), "commit: done"));
        EXPECT_GT(committed, 30u);
        EXPECT_EQ(stored_in(farm, "orders", 0).size(), committed);
        EXPECT_EQ(stored_in(farm, "orders", 1).size(), committed) << "all or nothing";
        EXPECT_EQ(reader.values.size(), 2 * committed) << "and nothing stays open";
    }
}

INSTANTIATE_TEST_SUITE_P(Versions, KafkaTransaction, ::testing::Values(1, 2),
                         [](const auto& info) { return "Version" + std::to_string(info.param); });

// --- the books of the coordinators

TEST(KafkaCoordinators, NothingOfTheirBooksIsDeletedByAge) {
    const Farm farm(1, {topic_of("orders", 1)}, quick_cluster());
    for (const PartitionId partition :
         {farm.cluster.transactions_partition("copy"), farm.cluster.offsets_partition("readers")}) {
        const LogOptions& log = farm.cluster.topic(farm.cluster.info(partition).topic).log;
        EXPECT_TRUE(log.compacts);
        EXPECT_FALSE(log.deletes);
    }
}

// --- wrong calls (A4.8.2)

asio::awaitable<void> misuse(ClientProgram& program, Story& story) {
    const auto producer = program.client.transactional_producer(transactional("misused"));
    EXPECT_THROW(producer->begin(), std::logic_error);
    story.note("init", co_await producer->init());
    EXPECT_THROW((void)producer->commit(), std::logic_error);
    EXPECT_THROW((void)producer->send({}), std::logic_error);
    producer->begin();
    EXPECT_THROW(producer->begin(), std::logic_error);
    story.note("empty commit", co_await producer->commit());
    producer->begin();
    story.note("empty abort", co_await producer->abort());
    co_await stay(program);
}

TEST(KafkaTransactionalProducer, RefusesCallsInTheWrongPhase) {
    Farm farm(1, {topic_of("orders", 1)});
    Story story;
    sim::Node& node = farm.add("app", [&](ClientProgram& it) { return misuse(it, story); });
    farm.add_call_fault(sim::FaultKind::drop_request, node, calls::end_txn, 1);
    farm.run_for(10s);
    EXPECT_EQ(story.notes, (Values{"init: done", "empty commit: done", "empty abort: done"}))
        << "a transaction without content ends without a word to anybody (A4.5.3)";
}

// A4.1: the cluster bounds the timeout.
asio::awaitable<void> ask_too_much(ClientProgram& program, Story& story) {
    ProducerOptions options = transactional("patient");
    options.transaction_timeout = std::chrono::minutes(16);
    const auto producer = program.client.transactional_producer(options);
    story.note("init", co_await producer->init());
    co_await stay(program);
}

TEST(KafkaTransactionalProducer, TheBrokersBoundItsTimeout) {
    Farm farm(1, {topic_of("orders", 1)});
    Story story;
    farm.add("app", [&](ClientProgram& it) { return ask_too_much(it, story); });
    farm.run_for(10s);
    EXPECT_EQ(story.notes, (Values{"init: failed INVALID_TRANSACTION_TIMEOUT"}));
}

} // namespace
} // namespace crier::broker::kafka::testing
