#include "broker-model/kafka/groups/share_partition.hpp"

#include <gtest/gtest.h>

// The records of one partition as a share group sees them.

namespace crier::broker::kafka {
namespace {

using crier::kafka::AcknowledgeType;
using namespace std::chrono_literals;

Instant at(Duration time) {
    return Instant(time);
}

/// Returns batches of these sizes, one after another from offset `base`.
std::vector<StoredBatch> batches_of(Offset base, const std::vector<std::size_t>& sizes) {
    std::vector<StoredBatch> batches;
    for (const std::size_t size : sizes) {
        auto records = std::make_shared<RecordBatch>();
        records->records.resize(size);
        StoredBatch& batch = batches.emplace_back();
        batch.base_offset = base;
        batch.batch = std::move(records);
        base += static_cast<Offset>(size);
    }
    return batches;
}

std::string text(const std::vector<AcquiredRecords>& ranges) {
    std::string text;
    for (const AcquiredRecords& range : ranges) {
        if (!text.empty()) text += ' ';
        text += std::to_string(range.first) + "-" + std::to_string(range.last) + "x" +
                std::to_string(range.delivery_count);
    }
    return text;
}

struct Stage {
    explicit Stage(ShareLimits with = {}) : limits(with), records(limits, from(0)) {}

    static ShareState from(Offset start) {
        ShareState state;
        state.start = start;
        return state;
    }
    /// Acquires out of a log of ten records in batches of five.
    std::string acquire(const std::string& member, std::size_t limit = 500, Duration time = 0s) {
        std::vector<StoredBatch> read;
        for (StoredBatch& batch : batches_of(0, {5, 5})) {
            if (batch.end_offset() > records.next_offset()) read.push_back(std::move(batch));
        }
        return text(records.acquire(member, at(time), limit, read));
    }
    ErrorCode say(const std::string& member, Offset first, Offset last, AcknowledgeType type,
                  Duration time = 0s) {
        return records.acknowledge(member, {first, last, type}, at(time));
    }

    ShareLimits limits;
    SharePartition records;
};

TEST(SharePartition, GivesEveryRecordToOneMember) {
    Stage stage;
    EXPECT_EQ(stage.acquire("A", 3), "0-4x1") << "whole batches";
    EXPECT_EQ(stage.acquire("B"), "5-9x1");
    EXPECT_EQ(stage.acquire("C"), "");
    EXPECT_EQ(stage.records.next_offset(), 10);
}

TEST(SharePartition, MovesItsStartOverWhatIsDone) {
    Stage stage;
    stage.acquire("A");
    EXPECT_EQ(stage.say("A", 1, 3, AcknowledgeType::accept), ErrorCode::none);
    EXPECT_EQ(stage.records.start(), 0);
    EXPECT_EQ(stage.say("A", 0, 0, AcknowledgeType::reject), ErrorCode::none);
    EXPECT_EQ(stage.records.start(), 4);
    EXPECT_EQ(stage.say("A", 4, 9, AcknowledgeType::accept), ErrorCode::none);
    EXPECT_EQ(stage.records.start(), 10);
}

TEST(SharePartition, RefusesWhatIsNotTheMembersAndChangesNothingThen) {
    Stage stage;
    stage.acquire("A", 5);
    EXPECT_EQ(stage.say("B", 0, 0, AcknowledgeType::accept), ErrorCode::invalid_record_state);
    EXPECT_EQ(stage.say("A", 4, 5, AcknowledgeType::accept), ErrorCode::invalid_request)
        << "5 was never fetched";
    EXPECT_EQ(stage.say("A", 1, 1, AcknowledgeType::accept), ErrorCode::none);
    EXPECT_EQ(stage.say("A", 1, 2, AcknowledgeType::accept), ErrorCode::invalid_record_state)
        << "1 is done";
    EXPECT_EQ(stage.say("A", 2, 4, AcknowledgeType::accept), ErrorCode::none) << "2 was not";
}

// As a real Kafka answers who is late.
TEST(SharePartition, PassesOverWhatLiesBeforeTheStart) {
    Stage stage;
    stage.acquire("A", 5);
    EXPECT_EQ(stage.say("A", 0, 1, AcknowledgeType::accept), ErrorCode::none);
    EXPECT_EQ(stage.records.start(), 2);
    EXPECT_EQ(stage.say("B", 0, 1, AcknowledgeType::accept), ErrorCode::none) << "whoever did it";
    EXPECT_EQ(stage.say("B", 1, 2, AcknowledgeType::accept), ErrorCode::invalid_record_state)
        << "2 is A's";
    EXPECT_EQ(stage.say("A", 1, 2, AcknowledgeType::accept), ErrorCode::none);
    EXPECT_EQ(stage.records.start(), 3);
}

TEST(SharePartition, ReleasedRecordsComeAgainAndTheDeliveryCounts) {
    Stage stage;
    stage.acquire("A");
    EXPECT_EQ(stage.say("A", 2, 3, AcknowledgeType::release), ErrorCode::none);
    EXPECT_EQ(stage.records.next_offset(), 2);
    EXPECT_EQ(stage.acquire("B"), "2-3x2");
    EXPECT_EQ(stage.say("A", 2, 2, AcknowledgeType::accept), ErrorCode::invalid_record_state);
}

TEST(SharePartition, ArchivesWhatWasDeliveredTooOften) {
    Stage stage;
    for (int delivery = 1; delivery <= 5; ++delivery) {
        const std::string given = stage.acquire("A", 1);
        ASSERT_TRUE(given.starts_with("0-")) << given;
        EXPECT_EQ(stage.records.start(), 0);
        stage.records.release("A");
    }
    EXPECT_EQ(stage.records.start(), 1) << "dropped after the fifth";
}

TEST(SharePartition, ARecordOnItsLastDeliveryComesAlone) {
    Stage stage;
    for (int delivery = 1; delivery <= 4; ++delivery) {
        const std::string given = stage.acquire("A", 4);
        if (delivery <= 3) EXPECT_EQ(given, "0-4x" + std::to_string(delivery));
        if (delivery == 4) EXPECT_EQ(given, "0-1x4") << "fewer";
        stage.records.release("A");
    }
    EXPECT_EQ(stage.acquire("A", 4), "0-0x5");
    EXPECT_EQ(stage.acquire("B", 4), "1-1x5");
    EXPECT_EQ(stage.acquire("C", 4), "2-3x4");
}

TEST(SharePartition, ALockEndsAndMayBeRenewed) {
    Stage stage;
    stage.acquire("A", 5);
    EXPECT_EQ(stage.records.next_expiry(), at(30s));
    EXPECT_EQ(stage.say("A", 0, 0, AcknowledgeType::renew, 20s), ErrorCode::none);
    EXPECT_FALSE(stage.records.expire(at(29s)));
    EXPECT_TRUE(stage.records.expire(at(30s)));
    EXPECT_EQ(stage.say("A", 1, 1, AcknowledgeType::accept, 30s), ErrorCode::invalid_record_state);
    EXPECT_EQ(stage.say("A", 0, 0, AcknowledgeType::accept, 30s), ErrorCode::none) << "renewed";
    EXPECT_EQ(stage.acquire("B", 4, 31s), "1-4x2");
    EXPECT_EQ(stage.records.next_expiry(), at(61s));
}

TEST(SharePartition, AnAcknowledgementAfterTheLockIsRefusedEvenBeforeAnybodyNoticed) {
    Stage stage;
    stage.acquire("A", 5);
    EXPECT_EQ(stage.say("A", 0, 0, AcknowledgeType::accept, 30s), ErrorCode::invalid_record_state);
}

TEST(SharePartition, HasNoMoreRecordsUnderWayThanItMay) {
    ShareLimits limits;
    limits.partition_max_record_locks = 7;
    Stage stage(limits);
    EXPECT_EQ(stage.acquire("A"), "0-6x1");
    EXPECT_EQ(stage.acquire("B"), "");
    EXPECT_EQ(stage.say("A", 0, 1, AcknowledgeType::accept), ErrorCode::none);
    EXPECT_EQ(stage.acquire("B"), "7-8x1");
}

TEST(SharePartition, BeginsAgainWithWhatWasKept) {
    Stage stage;
    stage.acquire("A");
    stage.say("A", 1, 1, AcknowledgeType::accept);
    stage.say("A", 3, 3, AcknowledgeType::release);
    const ShareState kept = stage.records.state();
    EXPECT_EQ(kept.start, 0);
    SharePartition next(stage.limits, kept);
    EXPECT_EQ(next.start(), 0);
    EXPECT_EQ(next.end(), 10);
    EXPECT_EQ(next.next_offset(), 0) << "what was acquired is available again";
    EXPECT_EQ(text(next.acquire("B", at(0s), 500, batches_of(0, {5}))), "0-0x2 2-4x2");
    EXPECT_EQ(next.acknowledge("A", {5, 5, AcknowledgeType::accept}, at(0s)),
              ErrorCode::invalid_record_state);
}

TEST(SharePartition, ForgetsWhatTheLogHasDeleted) {
    Stage stage;
    stage.acquire("A", 5);
    stage.records.raise_start(3);
    EXPECT_EQ(stage.records.start(), 3);
    EXPECT_EQ(stage.say("A", 2, 3, AcknowledgeType::accept), ErrorCode::none) << "but for 2";
    EXPECT_EQ(stage.records.start(), 4);
    stage.records.raise_start(8);
    EXPECT_EQ(stage.records.start(), 8);
    EXPECT_EQ(stage.records.end(), 8);
}

// Source: A12.11, share.acquire.mode.
TEST(SharePartition, InRecordLimitModeNoMoreIsAcquiredThanAskedFor) {
    const std::vector<StoredBatch> read = batches_of(0, {5, 5});
    Stage whole;
    EXPECT_EQ(text(whole.records.acquire("a", at(0s), 3, read)), "0-4x1");
    Stage exact;
    EXPECT_EQ(text(exact.records.acquire("a", at(0s), 3, read, {}, true)), "0-2x1");
    EXPECT_EQ(text(exact.records.acquire("b", at(0s), 3, read, {}, true)), "3-5x1");
}

// Source: A12.12: archived, so that the start may pass them.
TEST(SharePartition, RecordsOfAbortedTransactionsAndMarkersAreNobodys) {
    std::vector<StoredBatch> read = batches_of(0, {2, 1, 2, 1});
    read[0].producer = {7, 0, 0, true};
    read[1].producer = {7, 0, -1, true};
    read[1].marker = Marker::abort;
    read[2].producer = {7, 0, 0, true}; // of the next one
    read[3].producer = {7, 0, -1, true};
    read[3].marker = Marker::commit;
    Stage committed;
    EXPECT_EQ(text(committed.records.acquire("a", at(0s), 500, read, {{7, 0}})), "3-4x1");
    EXPECT_EQ(committed.say("a", 3, 4, AcknowledgeType::accept), ErrorCode::none);
    EXPECT_EQ(committed.records.start(), 6);
    Stage everything;
    EXPECT_EQ(text(everything.records.acquire("a", at(0s), 500, read)), "0-1x1 3-4x1");
}

// Source: A12.3.
TEST(ShareLimits, StayWithinKafkasBounds) {
    EXPECT_TRUE(out_of_bounds({}).empty());
    ShareLimits limits;
    limits.delivery_count_limit = 11;
    EXPECT_EQ(out_of_bounds(limits), "group.share.delivery.count.limit");
    limits = {};
    limits.record_lock_duration = 500ms;
    EXPECT_EQ(out_of_bounds(limits), "group.share.record.lock.duration.ms");
    limits = {};
    limits.partition_max_record_locks = 99;
    EXPECT_EQ(out_of_bounds(limits), "group.share.partition.max.record.locks");
}

} // namespace
} // namespace crier::broker::kafka
