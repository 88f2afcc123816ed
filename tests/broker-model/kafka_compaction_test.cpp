// What a compacted topic keeps, and what its readers see of that.
#include "broker-model/kafka/log/partition_log.hpp"
#include "tests/broker-model/kafka_client_fixture.hpp"

namespace crier::broker::kafka::testing {
namespace {

constexpr std::int64_t second = 1'000'000'000;

/// Segments of two batches of 100 bytes, cleaned as soon as anything is dirty.
LogOptions compacted() {
    LogOptions options;
    options.segment_bytes = 200;
    options.deletes = false;
    options.compacts = true;
    options.delete_retention = 100s;
    options.min_cleanable_ratio = {};
    return options;
}

/// Appends one batch. A text is `key=value`; `key` alone is a tombstone.
void append(PartitionLog& log, std::vector<std::string> texts, std::int64_t time = 0,
            ProducerStamp producer = {}) {
    auto batch = std::make_shared<RecordBatch>();
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        Record& record = batch->records.emplace_back();
        record.key = text.substr(0, equals);
        record.is_tombstone = equals == std::string::npos;
        if (!record.is_tombstone) record.value = text.substr(equals + 1);
        record.timestamp = time * second;
    }
    batch->max_timestamp = time * second;
    batch->bytes = 100;
    StoredBatch stored;
    stored.base_offset = log.end();
    stored.batch = std::move(batch);
    stored.producer = producer;
    log.append(stored);
}

std::string shown(const PartitionLog& log) {
    std::string text;
    for (const StoredBatch& stored : log.batches()) {
        for (std::size_t at = 0; at < stored.batch->records.size(); ++at) {
            const Record& record = stored.batch->records[at];
            text += (text.empty() ? "" : " ") + std::to_string(stored.offset_of(at)) + ":" +
                    *record.key + (record.is_tombstone ? "" : "=" + record.value);
        }
    }
    return text;
}

TEST(LogCompaction, KeepsTheLatestOfEachKeyAtItsOffset) {
    PartitionLog log(compacted());
    append(log, {"a=1", "b=1", "c=1"});
    append(log, {"a=2"});
    append(log, {"b=2", "a=3"});
    EXPECT_EQ(log.compact(log.end(), 0), 1u);
    EXPECT_EQ(shown(log), "1:b=1 2:c=1 3:a=2 4:b=2 5:a=3") << "the active segment is left alone";
    append(log, {"d=1"});
    append(log, {"d=2"});
    EXPECT_EQ(log.compact(log.end(), 0), 2u);
    EXPECT_EQ(shown(log), "2:c=1 4:b=2 5:a=3 6:d=1 7:d=2");
    EXPECT_EQ(log.end(), 8);
    EXPECT_EQ(log.batches().front().end_offset(), 3) << "a batch keeps the offsets it had";
}

TEST(LogCompaction, WaitsUntilEnoughIsDirtyOrHasWaitedLongEnough) {
    LogOptions options = compacted();
    options.min_cleanable_ratio = {500'000};
    options.max_compaction_lag = 60s;
    PartitionLog log(options);
    for (int at = 0; at < 9; ++at)
        append(log, {"k" + std::to_string(at) + "=1"});
    EXPECT_EQ(log.compact(log.end(), 0), 0u) << "all is dirty, and nothing is superseded";
    append(log, {"k0=2"});
    append(log, {"k9=1"});
    EXPECT_EQ(log.compact(log.end(), 0), 0u) << "200 of 1000 bytes";
    EXPECT_EQ(log.compact(log.end(), 61 * second), 1u);
}

TEST(LogCompaction, YoungRecordsStayForReaders) {
    LogOptions options = compacted();
    options.min_compaction_lag = 60s;
    PartitionLog log(options);
    append(log, {"a=1"}, 0);
    append(log, {"a=2"}, 10);
    append(log, {"a=3"}, 20);
    append(log, {"a=4"}, 30);
    append(log, {"a=5"}, 40);
    EXPECT_EQ(log.compact(log.end(), 60 * second), 0u);
    EXPECT_EQ(log.compact(log.end(), 70 * second), 1u) << "the first two are old enough";
    EXPECT_EQ(shown(log), "1:a=2 2:a=3 3:a=4 4:a=5");
}

TEST(LogCompaction, NeverGoesBeyondWhatIsStored) {
    PartitionLog log(compacted());
    for (int at = 0; at < 6; ++at)
        append(log, {"a=" + std::to_string(at)});
    EXPECT_EQ(log.compact(3, 0), 1u);
    EXPECT_EQ(shown(log), "1:a=1 2:a=2 3:a=3 4:a=4 5:a=5");
}

// Source: A13.6, KIP-534.
TEST(LogCompaction, ATombstoneStaysForItsTimeAfterTheFirstCleaning) {
    PartitionLog log(compacted());
    append(log, {"a=1"});
    append(log, {"a"});
    append(log, {"b=1"});
    EXPECT_EQ(log.compact(log.end(), 1000 * second), 1u);
    EXPECT_EQ(shown(log), "1:a 2:b=1");
    append(log, {"b=2"});
    append(log, {"b=3"});
    EXPECT_EQ(log.compact(log.end(), 1050 * second), 1u) << "before its horizon";
    EXPECT_EQ(shown(log), "1:a 3:b=2 4:b=3");
    append(log, {"b=4"});
    append(log, {"b=5"});
    EXPECT_EQ(log.compact(log.end(), 1101 * second), 3u);
    EXPECT_EQ(shown(log), "5:b=4 6:b=5");
}

// Source: A13.9: else a copy of its last batch would be appended again.
TEST(LogCompaction, TheLastBatchOfAProducerStaysIfEmpty) {
    PartitionLog log(compacted());
    append(log, {"a=1"}, 0, {7, 0, 0});
    append(log, {"a=2"}, 0, {7, 0, 1});
    append(log, {"a=3"}, 0, {8, 0, 0});
    append(log, {"a=4"}, 0, {8, 0, 1});
    append(log, {"c=1"});
    EXPECT_EQ(log.compact(log.end(), 0), 3u);
    EXPECT_EQ(shown(log), "3:a=4 4:c=1");
    ASSERT_EQ(log.batches().size(), 3u);
    EXPECT_EQ(log.batches().front().base_offset, 1);
    EXPECT_TRUE(log.batches().front().batch->records.empty());
    log.truncate(4);
    EXPECT_EQ(log.producers().judge({7, 0, 1}, 1).copy_at, 1);
}

TEST(LogCompaction, CompactAndDeleteDoBoth) {
    LogOptions options = compacted();
    options.deletes = true;
    options.retention_time = 1000s;
    PartitionLog log(options);
    append(log, {"a=1"}, 0);
    append(log, {"b=1"}, 0);
    append(log, {"a=2"}, 2000);
    append(log, {"c=1"}, 2000);
    append(log, {"d=1"}, 2000);
    EXPECT_EQ(log.compact(log.end(), 0), 1u);
    log.delete_old(2000 * second, log.end());
    EXPECT_EQ(shown(log), "2:a=2 3:c=1 4:d=1");
    EXPECT_EQ(log.start(), 2);
}

ProducerRecord state(const std::string& key, std::optional<std::string> value) {
    ProducerRecord record = record_of("orders", key, value.value_or(""));
    record.partition = 0;
    record.is_tombstone = !value;
    return record;
}

asio::awaitable<void> write_states(ClientProgram& program, int rounds) {
    const auto producer = program.client.producer(one_by_one());
    for (int round = 0; round < rounds; ++round) {
        for (const char* key : {"a", "b", "c"}) {
            std::vector<ProducerRecord> records{state(key, std::to_string(round))};
            co_await producer->send(std::move(records));
        }
    }
    std::vector<ProducerRecord> last{state("b", std::nullopt)};
    co_await producer->send(std::move(last));
    for (int at = 0; at < 20; ++at) {
        std::vector<ProducerRecord> filler{state("z", std::to_string(at))};
        co_await producer->send(std::move(filler));
    }
}

struct View {
    std::map<std::string, std::string> table;
    std::vector<Offset> offsets;
    Offset position = 0;
    int tombstones = 0;
};

asio::awaitable<void> read_states(ClientProgram& program, std::string group, View& view) {
    ConsumerOptions options = group_options(std::move(group));
    options.max_poll_records = 2;
    const auto consumer = program.client.consumer(options);
    consumer->subscribe({"orders"}, nullptr);
    const TopicPartition partition{"orders", 0};
    for (;;) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        for (const ConsumerRecord& record : *polled) {
            view.offsets.push_back(record.offset);
            view.table[*record.key] = record.value;
            if (!record.is_tombstone) continue;
            view.table.erase(*record.key);
            ++view.tombstones;
        }
        if (consumer->assignment().empty()) continue;
        const Outcome<Offset> position = co_await consumer->position(partition);
        if (position) view.position = *position;
    }
}

// A reader sees offsets with gaps, and in the end what a reader at the head has seen.
TEST(KafkaCompaction, AReaderFindsTheLatestOfEachKeyAndGapsBetween) {
    TopicOptions topic = topic_of("orders", 1);
    topic.log = compacted();
    topic.log.segment_bytes = 1000;
    ClusterOptions cluster = quick_cluster();
    cluster.log_cleaner_backoff = 1s;
    Farm farm(1, {topic}, cluster);
    View early;
    farm.add("early", [&](ClientProgram& it) { return read_states(it, "early", early); });
    farm.add("producer", [&](ClientProgram& it) { return write_states(it, 100); });
    farm.run_for(30s);
    ASSERT_EQ(early.offsets.size(), 321u);
    EXPECT_EQ(early.tombstones, 1);
    EXPECT_GT(farm.count(events::log_compacted), 0u);
    View late;
    farm.add("late", [&](ClientProgram& it) { return read_states(it, "late", late); });
    farm.run_for(30s);
    EXPECT_LT(late.offsets.size(), 100u);
    EXPECT_TRUE(std::is_sorted(late.offsets.begin(), late.offsets.end()));
    EXPECT_EQ(late.table, early.table);
    EXPECT_EQ(late.tombstones, 1) << "its time is not over";
    EXPECT_EQ(late.position, 321);
}

} // namespace
} // namespace crier::broker::kafka::testing
