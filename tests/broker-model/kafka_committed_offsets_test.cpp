#include "broker-model/kafka/groups/committed_offsets.hpp"
#include "broker-model/kafka/groups/group_records.hpp"

#include <gtest/gtest.h>

// Which of several commits counts, by their places in the log of __consumer_offsets. Rule numbers
// are those of docs/kafka-model.md.

namespace crier::broker::kafka {
namespace {

Record commit_of(Offset offset) {
    return write_record(OffsetRecord{"group", 0, offset, -1});
}

StoredBatch batch_at(Offset base, std::vector<Record> records, std::int64_t producer = -1) {
    auto batch = std::make_shared<RecordBatch>();
    batch->records = std::move(records);
    StoredBatch stored;
    stored.base_offset = base;
    stored.batch = std::move(batch);
    if (producer >= 0) stored.producer = {producer, 0, -1, true};
    return stored;
}

StoredBatch commit_marker(Offset base, std::int64_t producer) {
    StoredBatch stored = batch_at(base, std::vector<Record>(1), producer);
    stored.marker = Marker::commit;
    return stored;
}

TEST(KafkaCommittedOffsets, TheLaterPlaceWinsNotTheLaterVerdict) { // A4.7.4
    CommittedOffsets offsets;
    offsets.apply(batch_at(0, {commit_of(10)}, 7));
    offsets.apply(batch_at(1, {commit_of(20)}));
    EXPECT_TRUE(offsets.is_pending("group", 0));
    offsets.apply(commit_marker(2, 7));
    EXPECT_FALSE(offsets.is_pending("group", 0));
    ASSERT_NE(offsets.find("group", 0), nullptr);
    EXPECT_EQ(offsets.find("group", 0)->offset, 20);
}

TEST(KafkaCommittedOffsets, PlacesInACompactedBatchAreThoseOfItsRecords) {
    auto compacted = std::make_shared<RecordBatch>();
    compacted->records.push_back(commit_of(20));
    compacted->compacted_span = 5;
    compacted->offset_deltas = {4};
    StoredBatch stored;
    stored.batch = std::move(compacted);
    CommittedOffsets offsets;
    offsets.apply(batch_at(2, {commit_of(10)}, 7)); // pending, in front of the other's place
    offsets.apply(stored);
    offsets.apply(commit_marker(5, 7));
    ASSERT_NE(offsets.find("group", 0), nullptr);
    EXPECT_EQ(offsets.find("group", 0)->offset, 20);
}

} // namespace
} // namespace crier::broker::kafka
