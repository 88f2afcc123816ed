#include "broker-model/kafka/log/partition_log.hpp"

#include <gtest/gtest.h>

#include "tests/broker-model/kafka_fixture.hpp"

namespace crier::broker::kafka {
namespace {

void append(PartitionLog& log, std::int32_t epoch, std::size_t records) {
    StoredBatch stored;
    stored.base_offset = log.end();
    stored.leader_epoch = epoch;
    stored.batch = KafkaFixture::batch(std::vector<std::string>(records, "x"));
    log.append(stored);
}

TEST(PartitionLog, KnowsWhereEpochsEnd) {
    PartitionLog log;
    append(log, 1, 3);
    append(log, 1, 2);
    append(log, 4, 1);
    EXPECT_EQ(log.end_of(0), (EpochEnd{-1, -1}));
    EXPECT_EQ(log.end_of(1), (EpochEnd{1, 5}));
    EXPECT_EQ(log.end_of(3), (EpochEnd{1, 5}));
    EXPECT_EQ(log.end_of(9), (EpochEnd{4, 6}));
}

TEST(PartitionLog, TruncationDropsWholeBatchesAndTheirEpochs) {
    PartitionLog log;
    append(log, 1, 3);
    append(log, 2, 3);
    append(log, 3, 3);
    log.truncate(5);
    EXPECT_EQ(log.end(), 3);
    EXPECT_EQ(log.last_epoch(), 1);
    EXPECT_EQ(log.epochs(), (std::vector<EpochStart>{{1, 0}}));
}

TEST(PartitionLog, ReadsWholeBatchesUpToTheLimit) {
    PartitionLog log;
    for (int at = 0; at < 4; ++at)
        append(log, 1, 2);
    std::vector<StoredBatch> read;
    log.read(3, 6, 1'000'000, true, read);
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read.front().base_offset, 2);
    EXPECT_EQ(read.back().end_offset(), 6);
    read.clear();
    log.read(0, 8, 1, true, read);
    EXPECT_EQ(read.size(), 1u) << "the first is returned even if it is too large";
}

TEST(PartitionLog, PowerLossTakesAnySuffixAfterTheLastFlush) {
    std::vector<int> ends(11);
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        PartitionLog log;
        for (int at = 0; at < 4; ++at)
            append(log, 1, 1);
        log.flush();
        for (int at = 0; at < 6; ++at)
            append(log, 1, 1);
        constexpr sim::Purpose test{"test"};
        log.lose_unflushed(sim::Random(seed).draw(test));
        ++ends[static_cast<std::size_t>(log.end())];
    }
    for (std::size_t end = 0; end < 4; ++end)
        EXPECT_EQ(ends[end], 0);
    for (std::size_t end = 4; end <= 10; ++end)
        EXPECT_GT(ends[end], 0) << end;
}

TEST(PartitionLog, CompactionKeepsTheLatestOfEachKeyAndTheTail) {
    PartitionLog log;
    for (int at = 0; at < 1000; ++at) {
        auto batch = std::make_shared<RecordBatch>();
        Record& record = batch->records.emplace_back();
        record.key = "key-" + std::to_string(at % 3);
        record.value = std::to_string(at);
        StoredBatch stored;
        stored.base_offset = log.end();
        stored.batch = batch;
        log.append(stored);
        log.compact_internal(log.end() - 1, 0);
    }
    EXPECT_LT(log.batches().size(), 300u);
    EXPECT_EQ(log.end(), 1000);
    EXPECT_EQ(log.batches().back().batch->records.front().value, "999");
}

} // namespace
} // namespace crier::broker::kafka
