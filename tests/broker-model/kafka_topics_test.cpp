// Topics that change while clients use them: more partitions, deletion, another topic of the name.
#include "broker-model/kafka/broker/broker.hpp"
#include "tests/broker-model/kafka_fixture.hpp"
#include "tests/broker-model/kafka_member_programs.hpp"

namespace crier::broker::kafka::testing {
namespace {

using crier::kafka::Acks;

// Source: A1.4; Kafka's growing is never undone.
TEST(KafkaTopics, GetMorePartitionsAndNeverFewer) {
    KafkaFixture kafka({make_topic("orders", 2, 3, 2)});
    EXPECT_EQ(kafka.cluster.add_partitions("orders", 4), ErrorCode::none);
    kafka.run_for(100ms);
    const PartitionId added = *kafka.cluster.find_partition("orders", 3);
    EXPECT_EQ(kafka.produce(kafka.leader(added), added, {"a"}).error, ErrorCode::none);
    EXPECT_EQ(kafka.read_all(added), std::vector<std::string>{"a"});
    EXPECT_EQ(kafka.cluster.add_partitions("orders", 4), ErrorCode::invalid_partitions);
    EXPECT_EQ(kafka.cluster.add_partitions("orders", 1), ErrorCode::invalid_partitions);
    EXPECT_EQ(kafka.cluster.add_partitions("bills", 3), ErrorCode::unknown_topic_or_partition);
    EXPECT_TRUE(kafka.cluster.is_whole());
}

FetchPartitionAnswer fetch_with_id(KafkaFixture& kafka, std::uint32_t topic_id) {
    FetchRequest request;
    FetchPartition& asked = request.partitions.emplace_back();
    asked.partition = 0;
    asked.topic_id = topic_id;
    return kafka.call<FetchAnswer>(kafka.leader(0), calls::fetch, std::move(request))
        ->partitions.at(0);
}

// Source: KIP-516.
TEST(KafkaTopics, ATopicMadeAnewIsNotTakenForTheOneBefore) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    EXPECT_EQ(kafka.produce(kafka.leader(0), 0, {"a", "b"}).error, ErrorCode::none);
    const std::uint32_t before = kafka.cluster.newest_metadata().partitions[0].topic_id;
    EXPECT_EQ(kafka.cluster.create_topic(make_topic("orders", 1, 3, 2)),
              ErrorCode::topic_already_exists);
    EXPECT_EQ(kafka.cluster.delete_topic("orders"), ErrorCode::none);
    EXPECT_EQ(kafka.cluster.delete_topic("orders"), ErrorCode::unknown_topic_or_partition);
    kafka.run_for(100ms);
    EXPECT_EQ(kafka.produce(1, 0, {"c"}).error, ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(kafka.cluster.create_topic(make_topic("orders", 1, 9, 1)),
              ErrorCode::invalid_replication_factor);
    EXPECT_EQ(kafka.cluster.create_topic(make_topic("orders", 1, 3, 2)), ErrorCode::none);
    kafka.run_for(100ms);
    const std::uint32_t now = kafka.cluster.newest_metadata().partitions[0].topic_id;
    EXPECT_NE(now, before);
    EXPECT_EQ(fetch_with_id(kafka, before).error, ErrorCode::unknown_topic_id);
    EXPECT_EQ(kafka.produce(kafka.leader(0), 0, {"d"}).error, ErrorCode::none);
    EXPECT_EQ(fetch_with_id(kafka, now).error, ErrorCode::none);
    EXPECT_EQ(kafka.read_all(0), std::vector<std::string>{"d"});
    EXPECT_TRUE(kafka.log.of(events::records_lost).empty()) << "it was deleted on purpose";
    const auto deleted = kafka.log.of(events::partition_deleted);
    ASSERT_EQ(deleted.size(), 1u);
    EXPECT_EQ(deleted[0].operands[1], 2u);
}

// Source: Kafka's partition.metadata file: the copy that it has is a stray one.
TEST(KafkaTopics, ABrokerThatWasAwayMeanwhileBringsNothingOfTheOldTopicBack) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 1)});
    const BrokerId first = kafka.leader(0);
    EXPECT_EQ(kafka.produce(first, 0, {"a", "b", "c"}).error, ErrorCode::none);
    kafka.cluster.broker(first).crash("test");
    kafka.run_for(12s);
    ASSERT_EQ(kafka.cluster.delete_topic("orders"), ErrorCode::none);
    kafka.run_for(100ms);
    ASSERT_EQ(kafka.cluster.create_topic(make_topic("orders", 1, 2, 1)), ErrorCode::none);
    kafka.run_for(100ms);
    EXPECT_EQ(kafka.produce(kafka.leader(0), 0, {"d"}).error, ErrorCode::none);
    kafka.cluster.broker(first).start();
    ASSERT_TRUE(kafka.run_until([&] { return kafka.cluster.is_whole(); }, 60s));
    EXPECT_EQ(kafka.read_all(0), std::vector<std::string>{"d"});
    const Replica* const replica = Broker::on(kafka.cluster.broker(first))->replicas().find(0);
    if (replica != nullptr) EXPECT_EQ(replica->log->end(), 1);
}

Offset committed_offset(KafkaFixture& kafka, const std::string& group) {
    OffsetFetchRequest request;
    request.group = group;
    request.partitions = {0};
    const PartitionId home = kafka.cluster.offsets_partition(group);
    const auto answer =
        kafka.call<OffsetFetchAnswer>(kafka.leader(home), calls::offset_fetch, std::move(request));
    return answer->offsets.at(0).offset;
}

// Source: Kafka GroupCoordinatorShard.onPartitionsDeleted.
TEST(KafkaTopics, ItsCommitsGoWithATopic) {
    KafkaFixture kafka({make_topic("orders", 1, 3, 2)});
    EXPECT_EQ(kafka.produce(kafka.leader(0), 0, {"a", "b"}).error, ErrorCode::none);
    OffsetCommitRequest request;
    request.group = "billing";
    request.offsets.push_back({0, 2});
    const BrokerId coordinator = kafka.leader(kafka.cluster.offsets_partition("billing"));
    EXPECT_EQ(kafka.call<OffsetCommitAnswer>(coordinator, calls::offset_commit, request)->error,
              ErrorCode::none);
    EXPECT_EQ(committed_offset(kafka, "billing"), 2);
    kafka.cluster.delete_topic("orders");
    kafka.run_for(1s);
    EXPECT_EQ(committed_offset(kafka, "billing"), -1);
    EXPECT_EQ(kafka.log.of(events::offset_expired).size(), 1u);
}

/// Sends a number each to its key, for as long as it lives.
asio::awaitable<void> send_by_key(ClientProgram& program, Duration pause, Seen& seen) {
    const auto producer = program.client.producer({});
    for (int at = 0;; ++at) {
        std::vector<ProducerRecord> records;
        records.push_back(
            record_of("orders", "key-" + std::to_string(at % 20), std::to_string(at)));
        const SendOutcomes outcomes = co_await producer->send(std::move(records));
        seen.notes.push_back(code_of(outcomes.front()));
        if (outcomes.front().has_value()) {
            seen.values.push_back(std::to_string(outcomes.front()->partition));
        }
        co_await program.ports.sleep(pause);
    }
}

std::size_t count_above(const std::vector<std::string>& values, const std::string& least) {
    return static_cast<std::size_t>(
        std::count_if(values.begin(), values.end(),
                      [&least](const std::string& value) { return value >= least; }));
}

// Source: A1.4: producers disagree on where a key lies until their metadata are old enough.
TEST(KafkaTopics, AProducerLearnsOfNewPartitionsWhenItsMetadataAreOld) {
    Farm farm(1, {topic_of("orders", 2)});
    Seen early;
    farm.add("early", [&](ClientProgram& it) { return send_by_key(it, 1s, early); });
    farm.run_for(10s);
    ASSERT_EQ(farm.cluster.add_partitions("orders", 8), ErrorCode::none);
    farm.run_for(1s); // the brokers know it
    Seen late;
    farm.add("late", [&](ClientProgram& it) { return send_by_key(it, 1s, late); });
    farm.run_for(60s);
    EXPECT_EQ(count_above(early.values, "2"), 0u);
    EXPECT_GT(count_above(late.values, "2"), 20u);
    farm.run_for(300s);
    EXPECT_GT(count_above(early.values, "2"), 20u);
    EXPECT_EQ(std::count(early.notes.begin(), early.notes.end(), "stored"),
              static_cast<std::ptrdiff_t>(early.notes.size()));
}

std::set<std::string> held_at_the_end(Farm& farm) {
    std::set<std::string> names;
    for (const auto& [partition, owner] : check_owners(farm.world))
        names.insert(std::string(farm.world.history().texts().find(partition)));
    return names;
}

// Source: Kafka ConsumerCoordinator: the leader alone looks at the metadata, when they are old.
TEST(KafkaTopics, AGroupSharesOutNewPartitionsWhenItsLeaderSeesThem) {
    Farm farm(1, {topic_of("orders", 1)});
    std::vector<Seen> seen(2);
    for (std::size_t at = 0; at < seen.size(); ++at) {
        farm.add("billing/" + std::to_string(at + 1), [&, at](ClientProgram& it) {
            return work(it, group_options("billing"), seen[at]);
        });
    }
    farm.run_for(10s);
    ASSERT_EQ(farm.cluster.add_partitions("orders", 4), ErrorCode::none);
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 4, 1s); });
    farm.run_for(60s);
    EXPECT_EQ(held_at_the_end(farm).size(), 1u);
    const std::size_t early = seen[0].values.size() + seen[1].values.size();
    EXPECT_LT(early, 20u) << "a quarter of what is sent";
    farm.run_for(300s);
    EXPECT_EQ(held_at_the_end(farm).size(), 4u);
    EXPECT_GT(seen[0].values.size() + seen[1].values.size(), 350u) << "from the start on";
}

// Source: KIP-848: the coordinator looks, and knows at once.
TEST(KafkaTopics, AGroupOfTheNewProtocolGetsNewPartitionsAtOnce) {
    Farm farm(1, {topic_of("orders", 1)});
    ConsumerOptions options = group_options("billing");
    options.group_protocol = crier::kafka::GroupProtocol::consumer;
    std::vector<Seen> seen(2);
    for (std::size_t at = 0; at < seen.size(); ++at) {
        farm.add("billing/" + std::to_string(at + 1),
                 [&, at](ClientProgram& it) { return work(it, options, seen[at]); });
    }
    farm.run_for(15s);
    ASSERT_EQ(farm.cluster.add_partitions("orders", 4), ErrorCode::none);
    farm.run_for(20s);
    EXPECT_EQ(held_at_the_end(farm).size(), 4u);
}

// Source: A15.2, KIP-516: UNKNOWN_TOPIC_ID has the client ask for metadata and go on.
TEST(KafkaTopics, ProducersAndConsumersGoOnWithATopicMadeAnew) {
    Farm farm(1, {topic_of("orders", 1)});
    Seen sent;
    farm.add("producer", [&](ClientProgram& it) { return send_by_key(it, 100ms, sent); });
    Seen seen;
    farm.add("billing/1",
             [&](ClientProgram& it) { return work(it, group_options("billing"), seen); });
    farm.run_for(10s);
    ASSERT_EQ(farm.cluster.delete_topic("orders"), ErrorCode::none);
    farm.run_for(1s);
    ASSERT_EQ(farm.cluster.create_topic(topic_of("orders", 1)), ErrorCode::none);
    farm.run_for(20s);
    EXPECT_EQ(std::count(sent.notes.begin(), sent.notes.end(), "stored"),
              static_cast<std::ptrdiff_t>(sent.notes.size()));
    EXPECT_GT(sent.notes.size(), 200u);
    ASSERT_FALSE(seen.values.empty());
    EXPECT_EQ(seen.values.back(), std::to_string(sent.notes.size() - 1)) << "it reads on";
    EXPECT_GE(farm.count(events::position_reset), 2u) << "at the beginning, and out of range";
}

asio::awaitable<void> administer(ClientProgram& program, Seen& seen) {
    const auto admin = program.client.admin({});
    crier::kafka::NewTopic bills{"bills", 3, 3, 2};
    const auto note = [&seen](const Outcome<void>& outcome) {
        seen.notes.push_back(outcome.has_value() ? "done" : outcome.error().code.message());
    };
    const Outcome<void> made = co_await admin->create_topic(bills);
    note(made);
    const Outcome<void> again = co_await admin->create_topic(bills);
    note(again);
    const Outcome<void> grown = co_await admin->create_partitions("bills", 5);
    note(grown);
    const Outcome<void> shrunk = co_await admin->create_partitions("bills", 2);
    note(shrunk);
    const Outcome<void> gone = co_await admin->delete_topic("bills");
    note(gone);
    const Outcome<void> unknown = co_await admin->delete_topic("bills");
    note(unknown);
}

TEST(KafkaTopics, AdministratorsMakeGrowAndDeleteThem) {
    Farm farm(1, {topic_of("orders", 1)});
    Seen seen;
    farm.add("operator", [&](ClientProgram& it) { return administer(it, seen); });
    farm.run_for(5s);
    EXPECT_EQ(seen.notes, (std::vector<std::string>{"done", "TOPIC_ALREADY_EXISTS", "done",
                                                    "INVALID_PARTITIONS", "done",
                                                    "UNKNOWN_TOPIC_OR_PARTITION"}));
    EXPECT_EQ(farm.count(events::topic_created), 1u);
    EXPECT_EQ(farm.count(events::partitions_added), 1u);
    EXPECT_EQ(farm.count(events::topic_deleted), 1u);
}

// Source: Kafka KafkaProducer.waitOnMetadata: it waits for the topic for max.block.ms.
TEST(KafkaTopics, SendersWaitForATopicThatIsMadeInTime) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    std::vector<ProducerRecord> records;
    records.push_back(record_of("bills", "key", "a"));
    farm.add("producer", [&](ClientProgram& it) { return send_all(it, {}, records, sent); });
    farm.run_for(10s);
    EXPECT_FALSE(sent.finished);
    ASSERT_EQ(farm.cluster.create_topic(topic_of("bills", 2)), ErrorCode::none);
    farm.run_for(2s);
    ASSERT_TRUE(sent.finished);
    EXPECT_EQ(code_of(sent.outcomes.front()), "stored");
}

} // namespace
} // namespace crier::broker::kafka::testing
