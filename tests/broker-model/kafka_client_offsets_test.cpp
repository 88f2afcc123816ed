// Timestamps, sizes and offsets as clients see them, and what retention takes from a reader.
#include "broker-model/kafka/broker/broker.hpp"
#include "tests/broker-model/kafka_client_fixture.hpp"

namespace crier::broker::kafka::testing {
namespace {

using crier::kafka::OffsetReset;
using crier::kafka::TopicPartitionTime;
using Offsets = std::vector<TopicPartitionOffset>;

TopicOptions short_topic(std::int64_t retention_bytes) {
    TopicOptions topic = topic_of("orders", 1);
    topic.log.segment_bytes = 1000;
    topic.log.retention_bytes = retention_bytes;
    return topic;
}

ClusterOptions hasty_retention() {
    ClusterOptions options = quick_cluster();
    options.log_retention_check_interval = 1s;
    return options;
}

std::string text(const Outcome<Offsets>& outcome) {
    if (outcome.has_error()) return outcome.error().code.message();
    std::string text;
    for (const TopicPartitionOffset& offset : *outcome)
        text += (text.empty() ? "" : " ") + std::to_string(offset.offset);
    return text;
}

void send(Farm& farm, const std::string& name, std::vector<ProducerRecord> records,
          ProducerOptions options, Sent& sent) {
    farm.add(name, [&sent, records, options](ClientProgram& it) {
        return send_all(it, options, records, sent);
    });
    farm.run_for(3s);
}

asio::awaitable<void> read_slowly(ClientProgram& program, ConsumerOptions options, Duration wait,
                                  Seen& seen) {
    const auto consumer = program.client.consumer(std::move(options));
    consumer->subscribe({"orders"}, nullptr);
    for (;;) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        if (polled.has_error()) {
            seen.notes.push_back(polled.error().code.message());
            co_await program.ports.sleep(1s);
            continue;
        }
        for (const ConsumerRecord& record : *polled)
            seen.values.push_back(record.value);
        if (polled->empty()) continue;
        const Duration pause = std::exchange(wait, Duration());
        co_await program.ports.sleep(pause);
    }
}

// Source: A13.4, A6.5: who lags loses records, without an error, by its own reset policy.
TEST(KafkaRetention, ALaggingReaderLosesWhatIsDeletedWithoutAWord) {
    Farm farm(1, {short_topic(2000)}, hasty_retention());
    Sent sent;
    send(farm, "producer", numbered("orders", 5), one_by_one(), sent);
    Seen seen;
    ConsumerOptions options = group_options("billing");
    options.max_poll_records = 5;
    farm.add("billing", [&](ClientProgram& it) { return read_slowly(it, options, 20s, seen); });
    farm.run_for(5s);
    ASSERT_EQ(seen.values.size(), 5u);
    Sent more;
    send(farm, "producer-2", numbered("orders", 100), one_by_one(), more);
    farm.run_for(40s);
    EXPECT_LT(seen.values.size(), 60u);
    EXPECT_EQ(seen.values.back(), "99");
    EXPECT_TRUE(seen.notes.empty());
    EXPECT_EQ(farm.count(events::position_reset), 2u) << "at the beginning, and out of range";
}

asio::awaitable<void> delete_some(ClientProgram& program, std::vector<Offset> before, Seen& seen) {
    const auto admin = program.client.admin({});
    for (const Offset offset : before) {
        Offsets asked{{"orders", 0, offset}};
        const Outcome<Offsets> done = co_await admin->delete_records(std::move(asked));
        seen.notes.push_back(text(done));
    }
}

TEST(KafkaRetention, DeletesRecordsOnRequestOnAllReplicas) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    send(farm, "producer", numbered("orders", 10), one_by_one(), sent);
    Seen seen;
    farm.add("operator", [&](ClientProgram& it) { return delete_some(it, {4, 11, 2, -1}, seen); });
    farm.run_for(10s);
    EXPECT_EQ(seen.notes, (std::vector<std::string>{"4", "OFFSET_OUT_OF_RANGE", "4", "10"}));
    for (BrokerId broker = 1; broker <= 3; ++broker) {
        const Replica& replica = *Broker::on(farm.cluster.broker(broker))->replicas().find(0);
        EXPECT_EQ(replica.log->start(), 10) << broker;
    }
    EXPECT_EQ(farm.count(events::log_start_moved), 2u);
    EXPECT_EQ(farm.count(events::records_lost), 0u);
}

TEST(KafkaRetention, RecordsOfACompactedTopicCannotBeDeleted) {
    TopicOptions topic = topic_of("orders", 1);
    topic.log.deletes = false;
    topic.log.compacts = true;
    Farm farm(1, {topic});
    Seen seen;
    farm.add("operator", [&](ClientProgram& it) { return delete_some(it, {0}, seen); });
    farm.run_for(5s);
    EXPECT_EQ(seen.notes, std::vector<std::string>{"POLICY_VIOLATION"});
}

std::vector<ProducerRecord> at_times(ClientProgram& program, std::vector<Duration> ages) {
    std::vector<ProducerRecord> records;
    for (const Duration age : ages) {
        records.push_back(record_at("orders", 0, std::to_string(records.size())));
        records.back().timestamp = program.ports.wall_now() - age;
    }
    return records;
}

asio::awaitable<void> send_at_times(ClientProgram& program, std::vector<Duration> ages,
                                    ProducerOptions options, Sent& sent) {
    const auto producer = program.client.producer(std::move(options));
    std::vector<ProducerRecord> records = at_times(program, std::move(ages));
    sent.outcomes = co_await producer->send(std::move(records));
    co_await program.ports.sleep(std::chrono::hours(1));
}

std::vector<std::string> codes(const Sent& sent) {
    std::vector<std::string> codes;
    for (const Outcome<RecordMetadata>& outcome : sent.outcomes)
        codes.push_back(code_of(outcome));
    return codes;
}

TEST(KafkaTimestamps, OutOfTheLimitsRefuseTheBatchAndNameTheRecord) {
    TopicOptions topic = topic_of("orders", 1);
    topic.log.timestamp_before_max = 10min;
    Farm farm(1, {topic});
    Sent late;
    farm.add("late", [&](ClientProgram& it) { return send_at_times(it, {0s, -2h, 0s}, {}, late); });
    farm.run_for(3s);
    EXPECT_EQ(codes(late),
              (std::vector<std::string>{"failed UNKNOWN_SERVER_ERROR", "failed INVALID_TIMESTAMP",
                                        "failed UNKNOWN_SERVER_ERROR"}));
    Sent several;
    farm.add("several", [&](ClientProgram& it) {
        return send_at_times(it, {11min, 9min, -2h}, {}, several);
    });
    farm.run_for(3s);
    EXPECT_EQ(codes(several),
              (std::vector<std::string>{"failed INVALID_RECORD", "failed UNKNOWN_SERVER_ERROR",
                                        "failed INVALID_RECORD"}));
    EXPECT_EQ(farm.count(events::stored), 0u);
    Sent fine;
    farm.add("fine", [&](ClientProgram& it) {
        return send_at_times(it, {9min, -50min}, {}, fine);
    });
    farm.run_for(3s);
    EXPECT_EQ(codes(fine), (std::vector<std::string>{"stored", "stored"}));
}

TEST(KafkaTimestamps, ACompactedTopicRefusesRecordsWithoutAKey) {
    TopicOptions topic = topic_of("orders", 1);
    topic.log.compacts = true;
    Farm farm(1, {topic});
    Sent sent;
    std::vector<ProducerRecord> records{record_of("orders", "k", "a"),
                                        record_of("orders", std::nullopt, "b")};
    send(farm, "producer", records, {}, sent);
    EXPECT_EQ(codes(sent),
              (std::vector<std::string>{"failed UNKNOWN_SERVER_ERROR", "failed INVALID_RECORD"}));
}

asio::awaitable<void> note_times(ClientProgram& program, std::vector<Duration>& ages) {
    const auto consumer = program.client.consumer(group_options("billing"));
    consumer->subscribe({"orders"}, nullptr);
    while (ages.size() < 2) {
        const Outcome<Records> polled = co_await consumer->poll(1s);
        for (const ConsumerRecord& record : *polled)
            ages.push_back(program.ports.wall_now() - record.timestamp);
    }
}

TEST(KafkaTimestamps, AreTheProducersOrTheLeadersAsTheTopicSays) {
    for (const bool append_time : {false, true}) {
        TopicOptions topic = topic_of("orders", 1);
        topic.log.log_append_time = append_time;
        Farm farm(1, {topic});
        std::vector<Duration> ages;
        Sent sent;
        farm.add("producer", [&](ClientProgram& it) {
            return send_at_times(it, {1h, -5h}, {}, sent);
        });
        if (!append_time) {
            farm.run_for(3s);
            EXPECT_EQ(farm.count(events::stored), 0u) << "five hours ahead";
            farm.add("other", [&](ClientProgram& it) {
                return send_at_times(it, {1h, 2h}, {}, sent);
            });
        }
        farm.add("billing", [&](ClientProgram& it) { return note_times(it, ages); });
        farm.run_for(10s);
        ASSERT_EQ(ages.size(), 2u);
        EXPECT_EQ(ages.front() < 1min, append_time);
        EXPECT_EQ(ages.back() < 1min, append_time);
    }
}

asio::awaitable<void> ask_offsets(ClientProgram& program, Seen& seen) {
    const auto producer = program.client.producer(one_by_one());
    std::vector<ProducerRecord> records = at_times(program, {30min, 10min, 20min, 5min});
    co_await producer->send(std::move(records));
    const auto consumer = program.client.consumer(group_options("billing"));
    const TopicPartition partition{"orders", 0};
    std::vector<TopicPartition> partitions{partition};
    const Outcome<Offsets> begin = co_await consumer->beginning_offsets(partitions);
    seen.notes.push_back("begin " + text(begin));
    const Outcome<Offsets> end = co_await consumer->end_offsets(partitions);
    seen.notes.push_back("end " + text(end));
    const WallTime now = program.ports.wall_now();
    std::vector<TopicPartitionTime> times{{"orders", 0, now - 25min},
                                          {"orders", 0, now - 8min},
                                          {"orders", 0, now - 1h},
                                          {"orders", 0, now - 1min}};
    const Outcome<Offsets> found = co_await consumer->offsets_for_times(std::move(times));
    seen.notes.push_back("times " + text(found));
    std::vector<TopicPartition> nowhere{{"orders", 7}};
    const Outcome<Offsets> none = co_await consumer->end_offsets(std::move(nowhere));
    seen.notes.push_back(text(none));
    consumer->subscribe({"orders"}, nullptr);
    while (consumer->assignment().empty())
        co_await consumer->poll(100ms);
    consumer->seek(partition, 3);
    const Outcome<Offset> sought = co_await consumer->position(partition);
    seen.notes.push_back("position " + std::to_string(*sought));
}

TEST(KafkaOffsets, AreFoundByTimeAndAtBothEnds) {
    Farm farm(1, {topic_of("orders", 1)});
    Seen seen;
    farm.add("billing", [&](ClientProgram& it) { return ask_offsets(it, seen); });
    farm.run_for(20s);
    EXPECT_EQ(seen.notes, (std::vector<std::string>{"begin 0", "end 4", "times 1 3 0 -1",
                                                    "UNKNOWN_TOPIC_OR_PARTITION", "position 3"}));
}

asio::awaitable<void> ask_position(ClientProgram& program, Seen& seen) {
    const auto consumer = program.client.consumer(group_options("billing"));
    consumer->subscribe({"orders"}, nullptr);
    while (consumer->assignment().empty())
        co_await consumer->poll(1ms);
    const TopicPartition partition{"orders", 0};
    const Outcome<Offset> position = co_await consumer->position(partition);
    seen.notes.push_back(std::to_string(*position));
}

TEST(KafkaOffsets, APositionThatIsNotKnownIsLookedUp) {
    Farm farm(1, {topic_of("orders", 1)});
    Seen seen;
    farm.add("billing", [&](ClientProgram& it) { return ask_position(it, seen); });
    farm.run_for(20s);
    EXPECT_EQ(seen.notes, std::vector<std::string>{"0"});
}

TEST(KafkaOffsets, ByDurationBeginsWithTheFirstRecordYoungEnough) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    farm.add("producer", [&](ClientProgram& it) {
        return send_at_times(it, {30min, 20min, 10min, 5min}, one_by_one(), sent);
    });
    farm.run_for(3s);
    Seen seen;
    ConsumerOptions options = group_options("billing", OffsetReset::by_duration);
    options.auto_offset_reset_duration = 15min;
    farm.add("billing", [&](ClientProgram& it) { return read_slowly(it, options, 0s, seen); });
    farm.run_for(10s);
    EXPECT_EQ(seen.values, (std::vector<std::string>{"2", "3"}));
}

TEST(KafkaOffsets, ByDurationWaitsWhenNoRecordIsYoungEnough) {
    Farm farm(1, {topic_of("orders", 1)});
    Sent sent;
    farm.add("producer",
             [&](ClientProgram& it) { return send_at_times(it, {30min}, one_by_one(), sent); });
    farm.run_for(3s);
    Seen seen;
    ConsumerOptions options = group_options("billing", OffsetReset::by_duration);
    options.auto_offset_reset_duration = 1min;
    farm.add("billing", [&](ClientProgram& it) { return read_slowly(it, options, 0s, seen); });
    farm.run_for(10s);
    EXPECT_TRUE(seen.values.empty());
    Sent later;
    farm.add("later",
             [&](ClientProgram& it) { return send_at_times(it, {0s}, one_by_one(), later); });
    farm.run_for(40s);
    EXPECT_EQ(seen.values.size(), 1u) << "found when it is asked again";
}

std::vector<ProducerRecord> large(int count, std::size_t bytes) {
    std::vector<ProducerRecord> records;
    for (int at = 0; at < count; ++at) {
        records.push_back(record_at("orders", 0, std::string(bytes, 'x')));
        records.back().headers.push_back({std::string(id_header), std::to_string(at)});
    }
    return records;
}

// Source: A1.6: a batch that is too large is split and sent again, a record that is fails alone.
TEST(KafkaSizes, ABatchThatIsTooLargeIsSplit) {
    for (const bool idempotent : {true, false}) {
        TopicOptions topic = topic_of("orders", 1);
        topic.log.max_message_bytes = 1000;
        Farm farm(1, {topic});
        Sent sent;
        ProducerOptions options;
        options.enable_idempotence = idempotent;
        options.max_in_flight = idempotent ? 5 : 1;
        options.retries = idempotent ? options.retries : 1;
        std::vector<ProducerRecord> records = large(20, 300);
        records[7].value.assign(2000, 'y');
        send(farm, "producer", records, options, sent);
        ASSERT_EQ(sent.outcomes.size(), 20u);
        std::vector<std::string> expected;
        for (std::size_t at = 0; at < 20; ++at) {
            EXPECT_EQ(code_of(sent.outcomes[at]), at == 7 ? "failed MESSAGE_TOO_LARGE" : "stored")
                << at;
            if (at != 7) expected.push_back(std::to_string(at));
        }
        EXPECT_EQ(stored_in(farm, "orders", 0), expected);
    }
}

} // namespace
} // namespace crier::broker::kafka::testing
