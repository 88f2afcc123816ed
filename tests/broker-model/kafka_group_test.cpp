#include "broker-model/kafka/groups/group.hpp"
#include "tests/broker-model/kafka_group_stage.hpp"

namespace crier::broker::kafka {
namespace {

using KafkaGroup = GroupStage;

TEST_F(KafkaGroup, FindsItsCoordinatorAndOthersRefuse) {
    FindCoordinatorRequest find;
    find.id = "billing";
    const auto found = kafka.call<FindCoordinatorAnswer>(1, calls::find_coordinator, find);
    EXPECT_EQ(found->coordinator, coordinator());
    const BrokerId other = coordinator() % 3 + 1;
    const auto refused = kafka.call<JoinGroupAnswer>(other, calls::join_group, join_request(""));
    EXPECT_EQ(refused->error, ErrorCode::not_coordinator);
}

TEST_F(KafkaGroup, AnEmptyGroupWaitsForCompany) {
    const std::string id = new_id();
    const Instant before = kafka.world.now();
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(begin_join(id))->error, ErrorCode::none);
    EXPECT_GE(kafka.world.now() - before, seconds(3));
    EXPECT_LT(kafka.world.now() - before, milliseconds(3100));
}

TEST_F(KafkaGroup, RefusesWhatItCannotKnow) {
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(begin_join("nobody"))->error,
              ErrorCode::unknown_member_id);
    EXPECT_EQ(heartbeat("nobody", 1), ErrorCode::unknown_member_id);
    EXPECT_EQ(leave("nobody"), ErrorCode::unknown_member_id);
    const std::string id = settle_one();
    EXPECT_EQ(heartbeat("nobody", 1), ErrorCode::unknown_member_id);
    EXPECT_EQ(heartbeat(id, 0), ErrorCode::illegal_generation);
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::none);
    EXPECT_EQ(kafka.finish<SyncGroupAnswer>(begin_sync(id, 2))->error,
              ErrorCode::illegal_generation);
    JoinGroupRequest other = join_request("");
    other.protocols = {"sticky"};
    EXPECT_EQ(kafka.call<JoinGroupAnswer>(coordinator(), calls::join_group, other)->error,
              ErrorCode::inconsistent_group_protocol);
    other = join_request("");
    other.session_timeout = seconds(1);
    EXPECT_EQ(kafka.call<JoinGroupAnswer>(coordinator(), calls::join_group, other)->error,
              ErrorCode::invalid_session_timeout);
}

TEST_F(KafkaGroup, ANewMemberRebalancesAndFollowersWaitForTheLeader) {
    const std::string first = settle_one();
    const std::string second = new_id();
    const auto joining = begin_join(second);
    kafka.run_for(milliseconds(100));
    EXPECT_FALSE(joining->has_value()) << "the first has not rejoined";
    EXPECT_EQ(heartbeat(first, 1), ErrorCode::rebalance_in_progress);
    EXPECT_EQ(kafka.finish<SyncGroupAnswer>(begin_sync(first, 1))->error,
              ErrorCode::rebalance_in_progress);
    EXPECT_EQ(commit(first, 1, 0, 5), ErrorCode::none) << "the last moment to commit";
    const auto rejoined = kafka.finish<JoinGroupAnswer>(begin_join(first));
    EXPECT_EQ(rejoined->generation, 2);
    EXPECT_EQ(rejoined->leader, first) << "the leader stays";
    EXPECT_EQ(rejoined->members.size(), 2u);
    EXPECT_TRUE(kafka.finish<JoinGroupAnswer>(joining)->members.empty());
    EXPECT_EQ(commit(first, 2, 0, 6), ErrorCode::rebalance_in_progress);
    const auto follower = begin_sync(second, 2);
    kafka.run_for(milliseconds(100));
    EXPECT_FALSE(follower->has_value());
    EXPECT_EQ(
        kafka.finish<SyncGroupAnswer>(begin_sync(first, 2, {{second, {1, 0}}}))->partitions.size(),
        0u)
        << "whom the leader leaves out gets nothing";
    EXPECT_EQ(kafka.finish<SyncGroupAnswer>(follower)->partitions,
              (std::vector<PartitionId>{0, 1}));
    EXPECT_EQ(kafka.finish<SyncGroupAnswer>(begin_sync(second, 2))->partitions.size(), 2u);
}

TEST_F(KafkaGroup, AFollowerThatRejoinsUnchangedIsAnsweredAtOnceAndALeaderRebalances) {
    const std::string first = settle_one();
    const std::string second = new_id();
    const auto joining = begin_join(second);
    kafka.run_for(milliseconds(10));
    kafka.finish<JoinGroupAnswer>(begin_join(first));
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(begin_join(second))->generation, 2)
        << "completing, unchanged";
    kafka.finish<SyncGroupAnswer>(begin_sync(first, 2, {{first, {0}}, {second, {1}}}));
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(begin_join(second))->generation, 2)
        << "stable, unchanged";
    const auto changed = begin_join(second, {0, 1});
    kafka.run_for(milliseconds(10));
    EXPECT_FALSE(changed->has_value()) << "another subscription needs a rebalance";
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(begin_join(first))->generation, 3);
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(changed)->generation, 3);
}

TEST_F(KafkaGroup, ANewMemberWhileSyncingSendsTheOthersBack) {
    const std::string first = settle_one();
    const std::string second = new_id();
    const auto joining = begin_join(second);
    kafka.run_for(milliseconds(10));
    kafka.finish<JoinGroupAnswer>(begin_join(first));
    const auto waiting = begin_sync(second, 2);
    const std::string third = new_id();
    const auto newest = begin_join(third);
    EXPECT_EQ(kafka.finish<SyncGroupAnswer>(waiting)->error, ErrorCode::rebalance_in_progress);
}

TEST_F(KafkaGroup, ALeaverIsReplacedAndTheLastLeavesItEmpty) {
    const std::string id = settle_one();
    EXPECT_EQ(leave(id), ErrorCode::none);
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::unknown_member_id);
    EXPECT_EQ(commit(id, 1, 0, 5), ErrorCode::unknown_member_id);
    EXPECT_EQ(commit("", -1, 0, 5), ErrorCode::none) << "an empty group takes commits of nobody";
    EXPECT_EQ(committed(0).offsets.front().offset, 5);
}

TEST_F(KafkaGroup, ASilentMemberIsDroppedAfterItsSession) {
    const std::string silent = settle_one();
    const std::string other = new_id();
    const auto joining = begin_join(other);
    kafka.finish<JoinGroupAnswer>(begin_join(silent));
    kafka.finish<SyncGroupAnswer>(begin_sync(silent, 2, {{silent, {0}}, {other, {1}}}));
    kafka.finish<SyncGroupAnswer>(begin_sync(other, 2));
    for (int at = 0; at < 14; ++at) {
        kafka.run_for(seconds(3));
        EXPECT_EQ(heartbeat(other, 2), ErrorCode::none) << at;
    }
    kafka.run_for(seconds(4));
    EXPECT_EQ(heartbeat(other, 2), ErrorCode::rebalance_in_progress);
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(begin_join(other))->leader, other);
    EXPECT_EQ(heartbeat(silent, 2), ErrorCode::unknown_member_id);
    EXPECT_EQ(commit(silent, 2, 0, 9), ErrorCode::unknown_member_id);
    EXPECT_FALSE(kafka.log.of(events::commit_refused).empty());
}

// The end of one session must not give another that is as silent a whole new one.
TEST_F(KafkaGroup, MembersThatDieWhileSyncingAreDroppedTogether) {
    const std::string first = new_id();
    const std::string second = new_id();
    const auto joining = begin_join(first);
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(begin_join(second))->generation, 1);
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(joining)->generation, 1);
    kafka.run_for(seconds(46));
    EXPECT_EQ(heartbeat(first, 1), ErrorCode::unknown_member_id);
    EXPECT_EQ(heartbeat(second, 1), ErrorCode::unknown_member_id);
}

TEST_F(KafkaGroup, WhoeverDoesNotRejoinInTimeIsLeftBehind) {
    const std::string late = settle_one();
    const std::string other = new_id();
    const auto joining = begin_join(other);
    const Instant before = kafka.world.now();
    for (int at = 0; at < 19; ++at) { // alive, and never rejoining
        kafka.run_for(seconds(3));
        EXPECT_EQ(heartbeat(late, 1), ErrorCode::rebalance_in_progress);
    }
    const auto joined = kafka.finish<JoinGroupAnswer>(joining);
    EXPECT_GE(kafka.world.now() - before, seconds(60));
    EXPECT_EQ(joined->leader, other);
    EXPECT_EQ(joined->members.size(), 1u);
    EXPECT_EQ(commit(late, 1, 0, 1), ErrorCode::unknown_member_id);
}

// Source: A8.4, ClassicGroup.selectProtocol.
TEST_F(KafkaGroup, MostVotesChooseAmongWhatAllMembersKnow) {
    Group group;
    const auto add = [&group](const std::string& id, std::vector<std::string> protocols) {
        group.members[id].record.protocols = std::move(protocols);
    };
    add("a", {"sticky", "range", "roundrobin"});
    add("b", {"roundrobin", "range"});
    add("c", {"range", "roundrobin"});
    EXPECT_EQ(group.vote(), "range") << "nobody votes for what one of them does not know";
    add("d", {"roundrobin", "range"});
    EXPECT_EQ(group.vote(), "range") << "two for each: the first by name";
    add("e", {"roundrobin", "range"});
    EXPECT_EQ(group.vote(), "roundrobin");
}

TEST_F(KafkaGroup, AnOldGenerationMayNotCommit) {
    const std::string id = settle_one();
    EXPECT_EQ(commit(id, 1, 0, 3), ErrorCode::none);
    kafka.finish<JoinGroupAnswer>(begin_join(id));
    kafka.finish<SyncGroupAnswer>(begin_sync(id, 2, {{id, {0}}}));
    EXPECT_EQ(commit(id, 1, 0, 9), ErrorCode::illegal_generation);
    EXPECT_EQ(commit("", -1, 0, 9), ErrorCode::unknown_member_id);
    EXPECT_EQ(committed(0).offsets.front().offset, 3);
    EXPECT_EQ(kafka.log.of(events::commit_refused).size(), 2u);
    EXPECT_EQ(commit(id, 2, 0, 2), ErrorCode::none) << "older offsets overwrite newer ones";
    EXPECT_EQ(committed(0).offsets.front().offset, 2);
    EXPECT_EQ(committed(1).offsets.front().offset, -1);
    EXPECT_EQ(kafka.log.of(events::offset_committed).size(), 2u);
}

TEST_F(KafkaGroup, ANewCoordinatorKnowsCommitsMembersAndGeneration) {
    const std::string id = settle_one();
    EXPECT_EQ(commit(id, 1, 2, 42), ErrorCode::none);
    const BrokerId before = coordinator();
    kafka.cluster.broker(before).crash("test");
    ASSERT_TRUE(kafka.run_until([&] { return coordinator() != before; }, seconds(12)));
    kafka.run_for(milliseconds(1));
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::coordinator_load_in_progress);
    kafka.run_for(milliseconds(100));
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::none);
    kafka.run_for(seconds(1)); // until the new leader's watermark has caught up
    EXPECT_EQ(committed(2).offsets.front().offset, 42);
    EXPECT_EQ(commit(id, 1, 2, 43), ErrorCode::none);
    EXPECT_EQ(kafka.finish<SyncGroupAnswer>(begin_sync(id, 1))->partitions.size(), 4u);
    EXPECT_EQ(kafka.log.of(events::offset_committed).size(), 2u) << "each is told once";
}

TEST_F(KafkaGroup, ACommitThatCannotBeReplicatedMayHaveBeenApplied) {
    const std::string id = settle_one();
    for (BrokerId broker = 1; broker <= 3; ++broker) {
        if (broker != coordinator()) kafka.cluster.broker(broker).crash("test");
    }
    EXPECT_EQ(commit(id, 1, 2, 42), ErrorCode::coordinator_not_available);
    EXPECT_EQ(committed(2).offsets.front().offset, -1) << "not below the high watermark";
    kafka.run_for(seconds(12)); // both are fenced, and it is in sync with itself
    EXPECT_EQ(committed(2).offsets.front().offset, 42);
}

} // namespace
} // namespace crier::broker::kafka
