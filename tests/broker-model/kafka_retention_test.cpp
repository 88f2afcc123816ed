#include "broker-model/kafka/log/partition_log.hpp"

#include <gtest/gtest.h>

#include "broker-model/kafka/broker/broker.hpp"
#include "tests/broker-model/kafka_fixture.hpp"

namespace crier::broker::kafka {
namespace {

using crier::kafka::Acks;
using std::chrono::seconds;

/// Segments of two batches of 100 bytes.
LogOptions short_segments() {
    LogOptions options;
    options.segment_bytes = 200;
    options.segment_time = seconds(100);
    options.retention_time = seconds(1000);
    return options;
}

std::int64_t at_second(std::int64_t second) {
    return second * 1'000'000'000;
}

void append(PartitionLog& log, std::int64_t second, ProducerStamp producer = {}) {
    auto batch = std::make_shared<RecordBatch>();
    batch->records.emplace_back().timestamp = at_second(second);
    batch->bytes = 100;
    batch->max_timestamp = at_second(second);
    StoredBatch stored;
    stored.base_offset = log.end();
    stored.batch = std::move(batch);
    stored.producer = producer;
    log.append(stored);
}

TEST(LogRetention, SegmentsEndBySizeAndByTheTimesOfRecords) {
    PartitionLog log(short_segments());
    append(log, 0);
    append(log, 100);
    EXPECT_EQ(log.segments().count(), 1u);
    append(log, 100);
    EXPECT_EQ(log.segments().count(), 2u) << "the first is full";
    EXPECT_EQ(log.flushed_end(), 2) << "a segment that ends is flushed";
    append(log, 201);
    EXPECT_EQ(log.segments().count(), 3u) << "more than segment.ms after the first batch";
}

TEST(LogRetention, BySizeTheLogStaysAtOrAboveItsLimit) {
    LogOptions options = short_segments();
    options.retention_bytes = 400;
    PartitionLog log(options);
    for (int at = 0; at < 7; ++at)
        append(log, 0);
    log.delete_old(at_second(1), log.end());
    EXPECT_EQ(log.start(), 2) << "700 bytes: without the next segment it would be 300";
    EXPECT_EQ(log.batches().front().base_offset, 2);
    append(log, 0);
    log.delete_old(at_second(1), log.end());
    EXPECT_EQ(log.start(), 4);
}

TEST(LogRetention, ByTimeTheLatestRecordOfASegmentDecides) {
    LogOptions options = short_segments();
    options.segment_time = seconds(1000);
    PartitionLog log(options);
    append(log, 0);
    append(log, 500); // from the future
    append(log, 10);
    append(log, 20);
    append(log, 30);
    log.delete_old(at_second(1100), log.end());
    EXPECT_EQ(log.start(), 0) << "a segment that must stay keeps all behind it";
    log.delete_old(at_second(1501), log.end());
    EXPECT_EQ(log.start(), 5) << "the active segment goes too";
    EXPECT_EQ(log.end(), 5);
    EXPECT_TRUE(log.batches().empty());
    append(log, 1501);
    EXPECT_EQ(log.batches().front().base_offset, 5);
}

TEST(LogRetention, NothingGoesThatIsNotStored) {
    PartitionLog log(short_segments());
    for (int at = 0; at < 6; ++at)
        append(log, 0);
    log.delete_old(at_second(5000), 3);
    EXPECT_EQ(log.start(), 2);
}

TEST(LogRetention, ALogThatIsNotToDeleteKeepsAll) {
    LogOptions options = short_segments();
    options.deletes = false;
    PartitionLog log(options);
    for (int at = 0; at < 6; ++at)
        append(log, 0);
    log.delete_old(at_second(5000), log.end());
    EXPECT_EQ(log.start(), 0);
}

// What is known of a producer whose batches are deleted comes from the segment's snapshot.
TEST(LogRetention, ProducersOutliveTheirBatches) {
    PartitionLog log(short_segments());
    append(log, 0, {7, 0, 0});
    append(log, 0, {8, 0, 0});
    append(log, 2000, {8, 0, 1});
    append(log, 2000, {8, 0, 2});
    log.delete_old(at_second(2000), log.end());
    ASSERT_EQ(log.start(), 2);
    log.truncate(3);
    EXPECT_EQ(log.end(), 3);
    EXPECT_EQ(log.producers().judge({8, 0, 2}, 1).error, ErrorCode::none);
    EXPECT_EQ(log.producers().judge({8, 0, 1}, 1).copy_at, 2);
    EXPECT_EQ(log.producers().judge({7, 0, 5}, 1).error, ErrorCode::out_of_order_sequence_number);
}

TEST(LogRetention, AnEpochBeginsWhereItsLogDoes) {
    PartitionLog log(short_segments());
    log.begin_epoch(3);
    for (int at = 0; at < 4; ++at)
        append(log, 0);
    log.begin_epoch(5);
    log.raise_start(3);
    EXPECT_EQ(log.epochs(), (std::vector<EpochStart>{{3, 3}, {5, 4}}));
    EXPECT_EQ(log.batches().front().base_offset, 2) << "segments go whole";
}

TopicOptions short_topic() {
    TopicOptions topic = make_topic("orders", 1, 3, 2);
    topic.log.segment_bytes = 200;
    topic.log.retention_bytes = 400;
    return topic;
}

ClusterOptions hasty_retention() {
    ClusterOptions options;
    options.log_retention_check_interval = seconds(1);
    return options;
}

Offset log_start(KafkaFixture& kafka, BrokerId broker) {
    return Broker::on(kafka.cluster.broker(broker))->replicas().find(0)->log->start();
}

void produce_numbers(KafkaFixture& kafka, int count) {
    for (int at = 0; at < count; ++at) {
        ASSERT_EQ(kafka.produce(kafka.leader(0), 0, {std::string(30, 'x')}).error, ErrorCode::none);
    }
}

TEST(KafkaRetention, DeletesOnAllReplicasAndTellsIt) {
    KafkaFixture kafka({short_topic()}, hasty_retention());
    produce_numbers(kafka, 20);
    kafka.run_for(seconds(3));
    for (BrokerId broker = 1; broker <= 3; ++broker)
        EXPECT_EQ(log_start(kafka, broker), 16) << broker;
    const std::vector<sim::Event> moves = kafka.log.of(events::log_start_moved);
    ASSERT_FALSE(moves.empty());
    EXPECT_EQ(moves.back().operands[1], 16u);
    EXPECT_EQ(kafka.fetch(kafka.leader(0), 0, 15).error, ErrorCode::offset_out_of_range);
    EXPECT_EQ(kafka.fetch(kafka.leader(0), 0, 16).error, ErrorCode::none);
    EXPECT_TRUE(kafka.log.of(events::records_lost).empty());
}

// Source: Kafka AbstractFetcherThread.fetchOffsetAndTruncate: a follower whose end lies before the
// leader's beginning starts there.
TEST(KafkaRetention, AFollowerThatMissedItAllBeginsWhereTheLeaderDoes) {
    KafkaFixture kafka({short_topic()}, hasty_retention());
    const BrokerId away = kafka.leader(0) % 3 + 1;
    kafka.cluster.broker(away).crash("test");
    kafka.run_for(seconds(12));
    produce_numbers(kafka, 20);
    kafka.run_for(seconds(3));
    kafka.cluster.broker(away).start();
    ASSERT_TRUE(kafka.run_until([&] { return kafka.cluster.is_whole(); }, seconds(60)));
    EXPECT_EQ(log_start(kafka, away), 16);
    kafka.cluster.broker(kafka.leader(0)).crash("test");
    kafka.run_for(seconds(12));
    EXPECT_TRUE(kafka.log.of(events::records_lost).empty());
    EXPECT_EQ(kafka.produce(kafka.leader(0), 0, {"x"}).base_offset, 20);
}

} // namespace
} // namespace crier::broker::kafka
