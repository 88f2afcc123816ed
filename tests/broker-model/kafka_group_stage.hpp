#pragma once

#include <gtest/gtest.h>

#include "tests/broker-model/kafka_fixture.hpp"

// A consumer group whose members are played by hand, one request at a time.

namespace crier::broker::kafka {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Plays the members of the group `billing`.
class GroupStage : public ::testing::Test {
protected:
    explicit GroupStage(ClusterOptions options = {})
        : kafka({make_topic("orders", 4, 3, 2)}, std::move(options)) {
        partition = kafka.cluster.offsets_partition("billing");
    }

    [[nodiscard]] BrokerId coordinator() const { return kafka.leader(partition); }

    JoinGroupRequest join_request(std::string member_id, std::vector<TopicId> topics = {0}) const {
        JoinGroupRequest request;
        request.group = "billing";
        request.member_id = std::move(member_id);
        request.client_id = "client";
        request.session_timeout = seconds(45);
        request.rebalance_timeout = seconds(60);
        request.protocols = {"range"};
        request.topics = std::move(topics);
        return request;
    }

    PendingCall<JoinGroupAnswer> begin_join(const std::string& member_id,
                                            std::vector<TopicId> topics = {0}) {
        return kafka.begin<JoinGroupAnswer>(coordinator(), calls::join_group,
                                            join_request(member_id, std::move(topics)),
                                            seconds(90));
    }
    std::string new_id() {
        const auto answer = kafka.finish<JoinGroupAnswer>(begin_join(""));
        EXPECT_EQ(answer->error, ErrorCode::member_id_required);
        return answer->member_id;
    }
    PendingCall<SyncGroupAnswer> begin_sync(const std::string& member_id, std::int32_t generation,
                                            std::vector<MemberAssignment> assignments = {}) {
        SyncGroupRequest request;
        request.group = "billing";
        request.member_id = member_id;
        request.generation = generation;
        request.assignments = std::move(assignments);
        return kafka.begin<SyncGroupAnswer>(coordinator(), calls::sync_group, request);
    }
    ErrorCode heartbeat(const std::string& member_id, std::int32_t generation) {
        HeartbeatRequest request;
        request.group = "billing";
        request.member_id = member_id;
        request.generation = generation;
        return kafka.call<ErrorAnswer>(coordinator(), calls::heartbeat, request)->error;
    }
    ErrorCode leave(const std::string& member_id) {
        LeaveGroupRequest request;
        request.group = "billing";
        request.member_id = member_id;
        return kafka.call<ErrorAnswer>(coordinator(), calls::leave_group, request)->error;
    }
    PendingCall<OffsetCommitAnswer> begin_commit(const std::string& member_id,
                                                 std::int32_t generation, PartitionId of,
                                                 Offset offset) {
        OffsetCommitRequest request;
        request.group = "billing";
        request.member_id = member_id;
        request.generation = generation;
        request.offsets.push_back({of, offset});
        return kafka.begin<OffsetCommitAnswer>(coordinator(), calls::offset_commit, request);
    }
    ErrorCode commit(const std::string& member_id, std::int32_t generation, PartitionId of,
                     Offset offset) {
        return kafka.finish<OffsetCommitAnswer>(begin_commit(member_id, generation, of, offset))
            ->error;
    }
    OffsetFetchAnswer committed(PartitionId of) {
        OffsetFetchRequest request;
        request.group = "billing";
        request.partitions = {of};
        return kafka.call<OffsetFetchAnswer>(coordinator(), calls::offset_fetch, request).value();
    }

    /// Makes a stable group of one member in generation 1. **Returns** its id.
    std::string settle_one() {
        const std::string id = new_id();
        const auto joined = kafka.finish<JoinGroupAnswer>(begin_join(id));
        EXPECT_EQ(joined->error, ErrorCode::none);
        EXPECT_EQ(joined->generation, 1);
        EXPECT_EQ(joined->leader, id);
        const auto synced = kafka.finish<SyncGroupAnswer>(begin_sync(id, 1, {{id, {2, 0, 1, 3}}}));
        EXPECT_EQ(synced->error, ErrorCode::none);
        EXPECT_EQ(synced->partitions, (std::vector<PartitionId>{0, 1, 2, 3}));
        return id;
    }

    KafkaFixture kafka;
    PartitionId partition = 0;
};

} // namespace crier::broker::kafka
