#include "tests/broker-model/kafka_consumer_group_stage.hpp"

// Groups of the new consumer protocol (KIP-848), played by hand against the coordinator.

namespace crier::broker::kafka {
namespace {

using KafkaConsumerGroup = ConsumerGroupStage;

TEST_F(KafkaConsumerGroup, AMemberJoinsWithOneRequest) {
    const ConsumerGroupHeartbeatAnswer joined = beat("A", 0);
    EXPECT_EQ(joined.error, ErrorCode::none);
    EXPECT_EQ(joined.member_epoch, 1);
    EXPECT_EQ(joined.heartbeat_interval, seconds(5));
    EXPECT_EQ(joined.assignment, (Partitions{0, 1, 2, 3}));
    const ConsumerGroupHeartbeatAnswer next = beat("A", 1, Partitions{0, 1, 2, 3});
    EXPECT_EQ(next.member_epoch, 1);
    EXPECT_FALSE(next.assignment) << "only what changed is told";
}

TEST_F(KafkaConsumerGroup, HandsAPartitionOverWhenItsOwnerSaysThatItHasGivenItBack) {
    beat("A", 0);
    const ConsumerGroupHeartbeatAnswer second = beat("B", 0);
    EXPECT_EQ(second.member_epoch, 2);
    EXPECT_EQ(second.assignment, Partitions()) << "A has everything";
    const ConsumerGroupHeartbeatAnswer told = beat("A", 1, Partitions{0, 1, 2, 3});
    EXPECT_EQ(told.assignment, (Partitions{0, 1}));
    EXPECT_EQ(told.member_epoch, 1) << "until it has given back";
    EXPECT_FALSE(beat("B", 2, Partitions{}).assignment);
    EXPECT_EQ(beat("A", 1, Partitions{0, 1, 2, 3}).member_epoch, 1);
    EXPECT_FALSE(beat("B", 2).assignment) << "no barrier: B goes on with what it has";
    EXPECT_EQ(beat("A", 1, Partitions{0, 1}).member_epoch, 2);
    EXPECT_EQ(beat("B", 2).assignment, (Partitions{2, 3}));
}

TEST_F(KafkaConsumerGroup, WhoDoesNotGiveBackInTimeIsThrownOut) {
    beat("A", 0);
    beat("B", 0);
    beat("A", 1, Partitions{0, 1, 2, 3}); // its rebalance timeout is 10 s
    for (int at = 0; at < 3; ++at) {
        kafka.run_for(seconds(3));
        EXPECT_EQ(error_of("A", 1, Partitions{0, 1, 2, 3}), ErrorCode::none);
    }
    kafka.run_for(seconds(2));
    EXPECT_EQ(error_of("A", 1, Partitions{0, 1, 2, 3}), ErrorCode::unknown_member_id);
    EXPECT_EQ(beat("B", 2, Partitions{}).assignment, (Partitions{0, 1, 2, 3}));
}

TEST_F(KafkaConsumerGroup, ASilentMemberIsDroppedAfterItsSession) {
    settle_two();
    for (int at = 0; at < 8; ++at) {
        kafka.run_for(seconds(5));
        EXPECT_FALSE(beat("B", 2, Partitions{2, 3}).assignment);
    }
    kafka.run_for(seconds(6));
    const ConsumerGroupHeartbeatAnswer rest = beat("B", 2, Partitions{2, 3});
    EXPECT_EQ(rest.member_epoch, 3);
    EXPECT_EQ(rest.assignment, (Partitions{0, 1, 2, 3}));
    EXPECT_EQ(error_of("A", 2), ErrorCode::unknown_member_id);
}

TEST_F(KafkaConsumerGroup, WhoLeavesIsReplacedAtTheNextHeartbeat) {
    settle_two();
    EXPECT_EQ(beat("A", -1).member_epoch, -1);
    EXPECT_EQ(beat("B", 2, Partitions{2, 3}).assignment, (Partitions{0, 1, 2, 3}));
    EXPECT_EQ(error_of("A", 2), ErrorCode::unknown_member_id);
}

TEST_F(KafkaConsumerGroup, FencesEpochsThatItDoesNotKnow) {
    EXPECT_EQ(error_of("A", 1), ErrorCode::group_id_not_found);
    settle_two();
    EXPECT_EQ(error_of("A", 3, Partitions{0, 1}), ErrorCode::fenced_member_epoch);
    EXPECT_EQ(error_of("C", 2), ErrorCode::unknown_member_id);
    EXPECT_EQ(error_of("A", 1), ErrorCode::fenced_member_epoch) << "it does not say what it has";
    EXPECT_EQ(error_of("A", 1, Partitions{0, 1, 2}), ErrorCode::fenced_member_epoch);
    const ConsumerGroupHeartbeatAnswer again = beat("A", 1, Partitions{0, 1});
    EXPECT_EQ(again.error, ErrorCode::none) << "the answer with the new epoch was lost";
    EXPECT_EQ(again.member_epoch, 2);
    EXPECT_EQ(error_of("B", 0), ErrorCode::none) << "nor did it hear that it had joined";
}

TEST_F(KafkaConsumerGroup, RefusesWhatMakesNoSense) {
    ConsumerGroupHeartbeatRequest request = beat_of("A", 0);
    request.assignor = "rack-aware";
    EXPECT_EQ(send(request).error, ErrorCode::unsupported_assignor);
    request = beat_of("A", 0);
    request.topics.reset();
    EXPECT_EQ(send(request).error, ErrorCode::invalid_request);
    EXPECT_EQ(error_of("", 0), ErrorCode::invalid_request);
    EXPECT_EQ(error_of("A", -2), ErrorCode::invalid_request) << "only static members";
    for (const char* const id : {"A", "B", "C"})
        EXPECT_EQ(error_of(id, 0), ErrorCode::none);
    EXPECT_EQ(error_of("D", 0), ErrorCode::group_max_size_reached);
}

TEST_F(KafkaConsumerGroup, SharesByRangeIfItsMembersWantIt) {
    ConsumerGroupHeartbeatRequest request = beat_of("A", 0);
    request.assignor = "range";
    send(request);
    request = beat_of("B", 0);
    request.assignor = "range";
    send(request);
    EXPECT_EQ(beat("A", 1, Partitions{0, 1, 2, 3}).assignment, (Partitions{0, 1}));
    EXPECT_EQ(beat("A", 1, Partitions{0, 1}).member_epoch, 2);
    // Uniform would leave 0 and 1 with A.
    EXPECT_EQ(beat("B", 2, Partitions{}).assignment, (Partitions{2, 3}));
    request = beat_of("0", 0);
    request.assignor = "range";
    EXPECT_EQ(send(request).assignment, Partitions());
    EXPECT_EQ(beat("A", 2, Partitions{0, 1}).assignment, Partitions()) << "A gets 2";
}

TEST_F(KafkaConsumerGroup, AStaticMemberThatLeftForAWhileFindsItsPartitions) {
    ConsumerGroupHeartbeatRequest request = beat_of("A", 0);
    request.instance_id = "billing-1";
    EXPECT_EQ(send(request).member_epoch, 1);
    request.member_id = "A2";
    EXPECT_EQ(send(request).error, ErrorCode::unreleased_instance_id);
    ConsumerGroupHeartbeatRequest leaving = beat_of("A", -2);
    leaving.instance_id = "billing-1";
    EXPECT_EQ(send(leaving).member_epoch, -2);
    EXPECT_EQ(beat("B", 0).assignment, Partitions()) << "its place is kept";
    const ConsumerGroupHeartbeatAnswer back = send(request);
    EXPECT_EQ(back.error, ErrorCode::none);
    EXPECT_EQ(back.assignment, (Partitions{0, 1})) << "B has come meanwhile";
    leaving.member_epoch = 1;
    EXPECT_EQ(send(leaving).error, ErrorCode::fenced_instance_id) << "A is of the past";
    leaving.member_epoch = -1;
    EXPECT_EQ(send(leaving).error, ErrorCode::fenced_instance_id);
}

TEST_F(KafkaConsumerGroup, ACommitCarriesTheEpoch) {
    settle_two();
    EXPECT_EQ(commit("A", 2, 0, 5), ErrorCode::none);
    EXPECT_EQ(commit("A", 1, 0, 6), ErrorCode::none) << "it has had it since then";
    EXPECT_EQ(commit("B", 1, 2, 6), ErrorCode::stale_member_epoch) << "it had not";
    EXPECT_EQ(commit("A", 3, 0, 6), ErrorCode::stale_member_epoch);
    EXPECT_EQ(commit("C", 2, 0, 6), ErrorCode::unknown_member_id);
    EXPECT_EQ(commit("", -1, 0, 6), ErrorCode::unknown_member_id);
    EXPECT_EQ(fetch_error("A", 1), ErrorCode::stale_member_epoch);
    EXPECT_EQ(fetch_error("A", 2), ErrorCode::none);
    EXPECT_EQ(fetch_error("C", 2), ErrorCode::unknown_member_id);
    EXPECT_EQ(fetch_error("", -1), ErrorCode::none) << "as an administrator asks";
    beat("A", -1);
    beat("B", -1);
    EXPECT_EQ(commit("", -1, 0, 7), ErrorCode::none) << "nobody is there";
}

// Source: A10.7, KIP-1251: by partition.
TEST_F(KafkaConsumerGroup, AnOldEpochCommitsWhatItHasHadSinceThen) {
    settle_two();
    OffsetCommitRequest request;
    request.group = "billing";
    request.member_id = "A";
    request.generation = 1;
    request.offsets = {{0, 6}, {2, 7}};
    const auto answer =
        kafka.call<OffsetCommitAnswer>(coordinator(), calls::offset_commit, request);
    EXPECT_EQ(answer->error, ErrorCode::stale_member_epoch);
    EXPECT_TRUE(answer->is_partial);
    OffsetFetchRequest fetch;
    fetch.group = "billing";
    fetch.partitions = {0, 2};
    const auto found = kafka.call<OffsetFetchAnswer>(coordinator(), calls::offset_fetch, fetch);
    EXPECT_EQ(found->offsets[0].offset, 6);
    EXPECT_EQ(found->offsets[1].offset, -1);
}

TEST_F(KafkaConsumerGroup, ANewCoordinatorGoesOnInTheSameEpochs) {
    beat("A", 0);
    beat("B", 0);
    EXPECT_EQ(beat("A", 1, Partitions{0, 1, 2, 3}).assignment, (Partitions{0, 1}));
    const BrokerId before = coordinator();
    kafka.cluster.broker(before).crash("test");
    ASSERT_TRUE(kafka.run_until([&] { return coordinator() != before; }, seconds(12)));
    kafka.run_for(milliseconds(1));
    EXPECT_EQ(error_of("A", 1), ErrorCode::coordinator_load_in_progress);
    kafka.run_for(milliseconds(100));
    EXPECT_FALSE(beat("B", 2, Partitions{}).assignment) << "A has not given back";
    EXPECT_EQ(beat("A", 1, Partitions{0, 1}).member_epoch, 2);
    EXPECT_EQ(beat("B", 2, Partitions{}).assignment, (Partitions{2, 3}));
}

class SlowConsumerGroupStage : public ConsumerGroupStage {
protected:
    SlowConsumerGroupStage() : ConsumerGroupStage({}) {}
};

using KafkaConsumerGroupTargets = SlowConsumerGroupStage;

TEST_F(KafkaConsumerGroupTargets, ChangesThatComeTogetherAreOneTarget) {
    EXPECT_EQ(beat("A", 0).member_epoch, 1);
    EXPECT_EQ(beat("B", 0).member_epoch, 1) << "the target is not a second old";
    EXPECT_EQ(beat("C", 0).member_epoch, 1);
    kafka.run_for(seconds(1));
    EXPECT_EQ(beat("B", 1, Partitions{}).member_epoch, 3);
    EXPECT_EQ(kafka.log.of(events::generation_started).size(), 2u);
}

} // namespace
} // namespace crier::broker::kafka
