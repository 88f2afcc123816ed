// Edges of the model that no other file is about: contradicting settings, errors that nobody can be
// told, full disks, hanging transactions, forgotten ids, commits that know their epoch.
#include "broker-model/kafka/broker/broker.hpp"
#include "broker-model/kafka/groups/committed_offsets.hpp"
#include "broker-model/kafka/groups/group_records.hpp"
#include "tests/broker-model/kafka_client_fixture.hpp"
#include "tests/broker-model/kafka_fixture.hpp"

#include <stdexcept>

namespace crier::broker::kafka::testing {
namespace {

using crier::kafka::Acks;
using crier::kafka::Isolation;

std::string refusal_of(ClientProgram& program, ProducerOptions options) {
    try {
        if (options.transactional_id.empty()) {
            (void)program.client.producer(std::move(options));
        } else {
            (void)program.client.transactional_producer(std::move(options));
        }
    } catch (const std::invalid_argument& wrong) {
        return wrong.what();
    }
    return "taken";
}

asio::awaitable<void> make_producers(ClientProgram& program, std::vector<std::string>& notes) {
    ProducerOptions hasty;
    hasty.delivery_timeout = 10s; // of which one request may take thirty
    notes.push_back(refusal_of(program, hasty).substr(0, 19));
    ProducerOptions slow;
    slow.request_timeout = 300s; // the default of the other is raised
    notes.push_back(refusal_of(program, slow));
    ProducerOptions careless;
    careless.transactional_id = "id";
    careless.acks = Acks::leader;
    notes.push_back(refusal_of(program, careless).substr(0, 18));
    co_return;
}

// Source: A3.1: Kafka's ConfigException.
TEST(KafkaProducerConfig, RefusesSettingsThatContradictEachOther) {
    Farm farm(1, {topic_of("orders", 1)});
    std::vector<std::string> notes;
    farm.add("app", [&](ClientProgram& it) { return make_producers(it, notes); });
    farm.run_for(1s);
    EXPECT_EQ(notes,
              (std::vector<std::string>{"delivery.timeout.ms", "taken", "a transactional.id"}));
}

asio::awaitable<void> send_unanswered(ClientProgram& program, int& sent) {
    ProducerOptions options = one_by_one();
    options.acks = Acks::none;
    const auto producer = program.client.producer(options);
    for (int at = 0; at < 100; ++at) {
        std::vector<ProducerRecord> records;
        records.push_back(record_at("orders", 0, std::to_string(at)));
        const SendOutcomes outcomes = co_await producer->send(std::move(records));
        sent += outcomes.front().has_value() ? 1 : 0;
        co_await program.ports.sleep(10ms);
    }
}

// Source: A3.2.6: the producer is told nothing, but its connection breaks and it looks for another
// leader.
TEST(KafkaProducer, WithoutAcksAnErrorBreaksTheConnection) {
    Farm farm(1, {topic_of("orders", 1)});
    int sent = 0;
    farm.add("app", [&](ClientProgram& it) { return send_unanswered(it, sent); });
    farm.run_for(500ms);
    const std::size_t before = stored_in(farm, "orders", 0).size();
    ASSERT_TRUE(farm.cluster.move_leader(0));
    farm.run_for(5s);
    EXPECT_EQ(sent, 100) << "all of them, it believes";
    const std::size_t stored = stored_in(farm, "orders", 0).size();
    EXPECT_LT(stored, 100u) << "what the old leader refused is lost";
    EXPECT_GT(stored, before + 20) << "the refusal had it look for the new one";
}

// Source: A3.2.13, A16.
TEST(KafkaStorage, AFullDiskRefusesAndIsTriedAgain) {
    Farm farm(1, {topic_of("orders", 1)});
    sim::Node* const leader = farm.cluster.leader_of(0);
    farm.add_fault(sim::FaultKind::full_disk, {leader->id()}, 5s);
    farm.run_for(10ms);
    Sent sent;
    farm.add("app", [&](ClientProgram& it) {
        return send_all(it, one_by_one(), numbered("orders", 1), sent);
    });
    farm.run_for(3s);
    EXPECT_FALSE(sent.finished);
    farm.run_for(5s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes.front()), "stored");
    EXPECT_EQ(stored_in(farm, "orders", 0), std::vector<std::string>{"0"});
}

TEST(KafkaStorage, AFullDiskIsToldAsAStorageError) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId leader = kafka.leader(0);
    sim::FaultSpec spec;
    spec.kind = sim::FaultKind::full_disk;
    spec.nodes = {kafka.cluster.broker(leader).id()};
    spec.trigger.at = kafka.world.now();
    spec.duration = 5s;
    kafka.world.faults().add(spec);
    kafka.run_for(1ms);
    EXPECT_EQ(kafka.produce(leader, 0, {"a"}).error, ErrorCode::kafka_storage_error);
    EXPECT_EQ(kafka.leader(0), leader) << "it keeps its leaderships";
}

ProduceRequest transactional(std::int64_t producer, const std::string& id) {
    ProduceRequest request;
    request.transactional_id = id;
    request.timeout = 30s;
    ProducePartition& part = request.partitions.emplace_back();
    part.batch = KafkaFixture::batch({"a"});
    part.producer = {producer, 0, 0, true};
    return request;
}

// Source: A4.6.9: without verification a batch that comes after the end of its transaction, or
// before any, is in no coordinator's books, so nobody ever ends it.
TEST(KafkaHangingTransaction, HoldsCarefulReadersBackForEver) {
    for (const bool verifies : {false, true}) {
        ClusterOptions options;
        options.transaction_version = 1;
        options.transaction_partition_verification = verifies;
        KafkaFixture kafka({make_topic("orders", 1, 3, 2)}, options);
        const auto answer = kafka.call<ProduceAnswer>(kafka.leader(0), calls::produce,
                                                      transactional(7, "payments"));
        EXPECT_EQ(answer->partitions.front().error == ErrorCode::none, !verifies);
        EXPECT_EQ(kafka.produce(kafka.leader(0), 0, {"b"}).error, ErrorCode::none);
        kafka.run_for(std::chrono::hours(2));
        const Replica& replica =
            *Broker::on(kafka.cluster.broker(kafka.leader(0)))->replicas().find(0);
        EXPECT_EQ(replica.readable_end(Isolation::read_committed), verifies ? 1 : 0);
        EXPECT_EQ(replica.readable_end(Isolation::read_uncommitted), verifies ? 1 : 2);
    }
}

// Source: A4.1.
TEST(KafkaTransactionalIds, AreForgottenWhenNobodyUsesThem) {
    ClusterOptions options;
    options.transactional_id_expiration = std::chrono::hours(1);
    options.transactional_id_cleanup_interval = std::chrono::minutes(1);
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)}, options);
    FindCoordinatorRequest lookup;
    lookup.id = "payments";
    lookup.is_transaction = true;
    (void)kafka.call<FindCoordinatorAnswer>(1, calls::find_coordinator, lookup);
    kafka.run_for(1s);
    const BrokerId coordinator = kafka.leader(kafka.cluster.transactions_partition("payments"));
    InitProducerIdRequest init;
    init.transactional_id = "payments";
    init.transaction_timeout = 60s;
    const auto taken = kafka.call<InitProducerIdAnswer>(coordinator, calls::init_producer_id, init);
    ASSERT_EQ(taken->error, ErrorCode::none);
    const auto add = [&] {
        AddPartitionsRequest request;
        request.transactional_id = "payments";
        request.producer = taken->id;
        request.epoch = taken->epoch;
        request.partitions = {0};
        request.verify_only = true;
        return kafka.call<AddPartitionsAnswer>(coordinator, calls::add_partitions_to_txn, request)
            ->errors.front();
    };
    kafka.run_for(std::chrono::minutes(50));
    EXPECT_NE(add(), ErrorCode::invalid_producer_id_mapping);
    kafka.run_for(std::chrono::minutes(20));
    EXPECT_EQ(add(), ErrorCode::invalid_producer_id_mapping);
    EXPECT_EQ(kafka.call<InitProducerIdAnswer>(coordinator, calls::init_producer_id, init)->error,
              ErrorCode::none)
        << "a new one may begin";
}

StoredBatch commit_at(Offset place, Offset offset, std::int64_t producer) {
    OffsetRecord written;
    written.group = "billing";
    written.offset = offset;
    auto records = std::make_shared<RecordBatch>();
    records->records.push_back(write_record(written));
    StoredBatch batch;
    batch.base_offset = place;
    batch.batch = std::move(records);
    batch.producer = {producer, 0, -1, producer >= 0};
    return batch;
}

StoredBatch marker_at(Offset place, std::int64_t producer) {
    StoredBatch batch = commit_at(place, 0, producer);
    batch.marker = Marker::commit;
    return batch;
}

// Source: A4.7.4, Kafka OffsetMetadataManager.
TEST(CommittedOffsets, TheLaterPlaceInTheLogWinsWhenTheMarkerComes) {
    CommittedOffsets offsets;
    offsets.apply(commit_at(0, 5, 7));
    EXPECT_TRUE(offsets.is_pending("billing", 0));
    offsets.apply(commit_at(1, 9, -1));
    offsets.apply(marker_at(2, 7));
    EXPECT_EQ(offsets.find("billing", 0)->offset, 9) << "written after the transaction's";
    offsets.apply(commit_at(3, 11, 7));
    offsets.apply(marker_at(4, 7));
    EXPECT_EQ(offsets.find("billing", 0)->offset, 11);
}

// Source: A5.16, fourth row: two of three machines lose what they had not flushed together.
TEST(KafkaReplication, APowerLossOfAllInSyncLosesWhatWasStored) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    const BrokerId first = kafka.leader(0);
    const BrokerId second = first % 3 + 1;
    kafka.cluster.broker(second % 3 + 1).crash("test");
    kafka.run_for(12s);
    EXPECT_EQ(kafka.produce(first, 0, {"a"}).error, ErrorCode::none);
    kafka.cluster.broker(first).lose_power(true);
    kafka.cluster.broker(second).lose_power(true);
    kafka.run_for(1s);
    kafka.cluster.broker(first).start();
    kafka.cluster.broker(second).start();
    ASSERT_TRUE(kafka.run_until([&] { return kafka.leader(0) != 0; }, 60s));
    kafka.run_for(5s);
    EXPECT_EQ(kafka.log.of(events::records_lost).size(), 1u);
}

asio::awaitable<void> read_and_commit(ClientProgram& program, Seen& seen) {
    ConsumerOptions options = group_options("billing");
    options.auto_commit_interval = 1s;
    options.session_timeout = 6s;
    const auto consumer = program.client.consumer(std::move(options));
    consumer->subscribe({"orders"}, nullptr);
    for (;;) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        if (polled.has_error()) co_return;
        for (const ConsumerRecord& record : *polled)
            seen.values.push_back(record.value);
    }
}

void store(Farm& farm, const std::string& value) {
    Sent sent;
    std::vector<ProducerRecord> records{record_at("orders", 0, value)};
    farm.add("producer of " + value, [&sent, records](ClientProgram& it) {
        return send_all(it, one_by_one(), records, sent);
    });
    farm.run_for(6s);
    ASSERT_TRUE(sent.finished);
}

// Source: A11.1, A5.11: a commit knows the epoch of what was read last, so that who begins there
// asks whether the log is still the same.
TEST(KafkaCommittedEpoch, ARestartedReaderGoesBackToWhereTheLogDiverged) {
    TopicOptions topic = topic_of("orders", 1, 2, 1);
    topic.unclean_leader_election = true;
    Farm farm(1, {topic});
    const sim::Node* const leader = farm.cluster.leader_of(0);
    const BrokerId first = leader->id() - farm.cluster.broker(1).id() + 1;
    const BrokerId other = first % 3 + 1;
    Seen seen;
    store(farm, "both");
    farm.cluster.broker(other).crash("test");
    farm.run_for(12s);
    sim::Node& reader =
        farm.add("billing", [&](ClientProgram& it) { return read_and_commit(it, seen); });
    store(farm, "alone-1");
    store(farm, "alone-2");
    farm.run_for(5s);
    ASSERT_EQ(seen.values.size(), 3u);
    reader.crash("test");
    farm.cluster.broker(first).crash("test");
    farm.run_for(12s);
    farm.cluster.broker(other).start();
    farm.run_for(1s);
    for (const char* value : {"new-1", "new-2", "new-3"})
        store(farm, value);
    reader.start();
    farm.run_for(30s);
    EXPECT_EQ(seen.values,
              (std::vector<std::string>{"both", "alone-1", "alone-2", "new-1", "new-2", "new-3"}));
}

asio::awaitable<void> drop_producer(ClientProgram& program, bool flushes) {
    ProducerOptions options;
    options.linger = 10s;
    options.delivery_timeout = 60s;
    auto producer = program.client.producer(options);
    std::vector<ProducerRecord> records{record_at("orders", 0, "a")};
    program.ports.spawn(
        "send",
        [](crier::kafka::Producer& by, std::vector<ProducerRecord> what) -> asio::awaitable<void> {
            const SendOutcomes outcomes = co_await by.send(std::move(what));
            (void)outcomes;
        }(*producer, std::move(records)));
    co_await program.ports.sleep(1s);
    if (flushes) co_await producer->flush();
    producer.reset();
    co_await program.ports.sleep(60s);
}

// Source: A3.2.16: close() is a flush and then the end of the object; its end alone is close(0).
TEST(KafkaProducer, ItsEndDropsWhatWasNotFlushed) {
    for (const bool flushes : {true, false}) {
        Farm farm(1, {topic_of("orders", 1)});
        farm.add("app", [&](ClientProgram& it) { return drop_producer(it, flushes); });
        farm.run_for(60s);
        EXPECT_EQ(stored_in(farm, "orders", 0).size(), flushes ? 1u : 0u);
    }
}

asio::awaitable<void> write_in_transactions(ClientProgram& program) {
    ProducerOptions options;
    options.transactional_id = "id";
    const auto producer = program.client.transactional_producer(options);
    const Outcome<void> ready = co_await producer->init();
    EXPECT_TRUE(ready.has_value());
    for (const bool ends : {true, false}) {
        producer->begin();
        std::vector<ProducerRecord> records{record_at("orders", 0, "a")};
        const SendOutcomes outcomes = co_await producer->send(std::move(records));
        EXPECT_TRUE(outcomes.front().has_value());
        if (!ends) break;
        const Outcome<void> done = co_await producer->commit();
        EXPECT_TRUE(done.has_value());
    }
    co_await program.ports.sleep(std::chrono::hours(1));
}

asio::awaitable<void> look_at_the_end(ClientProgram& program, Isolation isolation,
                                      std::vector<Offset>& found) {
    ConsumerOptions options;
    options.enable_auto_commit = false;
    options.auto_offset_reset = crier::kafka::OffsetReset::earliest;
    options.isolation = isolation;
    const auto consumer = program.client.consumer(options);
    const TopicPartition place{"orders", 0};
    std::vector<TopicPartition> places{place};
    consumer->assign(places);
    for (int at = 0; at < 10; ++at) {
        const Outcome<Records> polled = co_await consumer->poll(500ms);
        EXPECT_TRUE(polled.has_value());
    }
    const auto ends = co_await consumer->end_offsets(places);
    const Outcome<Offset> position = co_await consumer->position(place);
    found = {ends->front().offset, *position};
}

// Source: A4.6.8: one record, its marker, and a record of an open transaction.
TEST(KafkaTransactionalReader, EndsWhereItsIsolationSaysAndPassesTheMarker) {
    Farm farm(1, {topic_of("orders", 1)});
    farm.add("producer", write_in_transactions);
    farm.run_for(5s);
    std::vector<Offset> committed;
    std::vector<Offset> everything;
    farm.add("careful", [&](ClientProgram& it) {
        return look_at_the_end(it, Isolation::read_committed, committed);
    });
    farm.add("careless", [&](ClientProgram& it) {
        return look_at_the_end(it, Isolation::read_uncommitted, everything);
    });
    farm.run_for(20s);
    EXPECT_EQ(committed, (std::vector<Offset>{2, 2})) << "not 1, after the last record it got";
    EXPECT_EQ(everything, (std::vector<Offset>{3, 3}));
}

// Source: A12.6, group.share.max.share.sessions.
TEST(KafkaShareGroup, ABrokerTakesNoMoreSessionsThanItMay) {
    ClusterOptions options;
    options.share.max_share_sessions = 1;
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)}, options);
    const auto fetch = [&kafka](const std::string& member, std::int32_t epoch) {
        ShareFetchRequest request;
        request.group = "jobs";
        request.member_id = member;
        request.session_epoch = epoch;
        request.partitions.emplace_back();
        return kafka.call<ShareFetchAnswer>(kafka.leader(0), calls::share_fetch, request)->error;
    };
    EXPECT_EQ(fetch("a", 0), ErrorCode::none);
    EXPECT_EQ(fetch("b", 0), ErrorCode::share_session_limit_reached);
    EXPECT_EQ(fetch("a", -1), ErrorCode::none);
    EXPECT_EQ(fetch("b", 0), ErrorCode::none);
}

} // namespace
} // namespace crier::broker::kafka::testing
