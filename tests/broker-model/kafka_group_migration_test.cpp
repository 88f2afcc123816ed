#include "tests/broker-model/kafka_consumer_group_stage.hpp"

#include "tests/broker-model/kafka_member_programs.hpp"

// Live groups that change their protocol: by hand against the coordinator, and with the client
// library.

namespace crier::broker::kafka {
namespace {

class GroupMigrationStage : public ConsumerGroupStage {
protected:
    explicit GroupMigrationStage(ClusterOptions options = prompt())
        : ConsumerGroupStage(std::move(options)) {}

    static ClusterOptions with(GroupMigrationPolicy policy) {
        ClusterOptions options = prompt();
        options.consumer_group_migration_policy = policy;
        return options;
    }

    PendingCall<JoinGroupAnswer> begin_join_as(const std::string& member_id, Partitions owned,
                                               std::vector<std::string> protocols,
                                               const std::string& instance = "") {
        JoinGroupRequest request = join_request(member_id);
        request.instance_id = instance;
        request.owned = std::move(owned);
        request.protocols = std::move(protocols);
        return kafka.begin<JoinGroupAnswer>(coordinator(), calls::join_group, request, seconds(90));
    }
    JoinGroupAnswer join(const std::string& member_id, Partitions owned = {},
                         std::vector<std::string> protocols = {"range"}) {
        return kafka
            .finish<JoinGroupAnswer>(
                begin_join_as(member_id, std::move(owned), std::move(protocols)))
            .value();
    }
    SyncGroupAnswer sync(const std::string& member_id, std::int32_t generation,
                         std::vector<MemberAssignment> assignments = {}) {
        return kafka
            .finish<SyncGroupAnswer>(begin_sync(member_id, generation, std::move(assignments)))
            .value();
    }

    /// An eager member and A, of the new protocol, share in epoch 2. **Returns** the id of the
    /// former, which has 0 and 1.
    std::string settle_mixed() {
        const std::string id = settle_one();
        EXPECT_EQ(beat("A", 0).member_epoch, 2);
        EXPECT_EQ(join(id).generation, 2);
        EXPECT_EQ(sync(id, 2).partitions, (Partitions{0, 1}));
        EXPECT_EQ(beat("A", 2, Partitions{}).assignment, (Partitions{2, 3}));
        return id;
    }

    /// 50 s pass in which both members of the group say that they are there.
    void keep_alive(const std::string& classic, std::int32_t generation) {
        for (int round = 0; round < 2; ++round) {
            kafka.run_for(seconds(25));
            EXPECT_EQ(error_of("A", 2), ErrorCode::none);
            EXPECT_NE(heartbeat(classic, generation), ErrorCode::unknown_member_id);
        }
    }

    /// Another broker coordinates the group. **Returns** the one before, which is down.
    BrokerId move_coordinator() {
        const BrokerId before = coordinator();
        kafka.cluster.broker(before).crash("test");
        EXPECT_TRUE(kafka.run_until([&] { return coordinator() != before; }, seconds(12)));
        kafka.run_for(milliseconds(200));
        return before;
    }
};

using KafkaGroupMigration = GroupMigrationStage;

TEST_F(KafkaGroupMigration, AMemberOfTheNewProtocolMakesALiveGroupAConsumerGroup) {
    const std::string id = settle_one();
    EXPECT_EQ(commit(id, 1, 0, 5), ErrorCode::none);
    const ConsumerGroupHeartbeatAnswer joined = beat("A", 0);
    EXPECT_EQ(joined.error, ErrorCode::none);
    EXPECT_EQ(joined.member_epoch, 2);
    EXPECT_EQ(joined.assignment, Partitions()) << "the other has everything";
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::rebalance_in_progress);
    EXPECT_EQ(sync(id, 1).error, ErrorCode::rebalance_in_progress);
    EXPECT_EQ(commit(id, 1, 3, 6), ErrorCode::none) << "it is in its epoch yet";
    EXPECT_FALSE(beat("A", 2, Partitions{}).assignment);

    const JoinGroupAnswer again = join(id); // an eager member has given everything back
    EXPECT_EQ(again.error, ErrorCode::none);
    EXPECT_EQ(again.generation, 2);
    EXPECT_EQ(again.protocol, "range");
    EXPECT_EQ(again.leader, "") << "the coordinator shares out";
    EXPECT_EQ(sync(id, 2).partitions, (Partitions{0, 1}));
    EXPECT_EQ(beat("A", 2, Partitions{}).assignment, (Partitions{2, 3}));
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::none);
    EXPECT_EQ(committed(0).offsets.front().offset, 5) << "the commits stay";
}

// Source: ConsumerGroup.validateOffsetCommit; otherwise classicGroupHeartbeatToConsumerGroup.
TEST_F(KafkaGroupMigration, AGenerationIsAMemberEpoch) {
    const std::string id = settle_mixed();
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::illegal_generation);
    EXPECT_EQ(heartbeat(id, 3), ErrorCode::illegal_generation);
    EXPECT_EQ(heartbeat("stranger", 2), ErrorCode::unknown_member_id);
    EXPECT_EQ(heartbeat("A", 2), ErrorCode::unknown_member_id) << "it speaks the new protocol";
    EXPECT_EQ(sync(id, 1).error, ErrorCode::illegal_generation);
    EXPECT_EQ(sync("A", 2).error, ErrorCode::unknown_member_id);
    EXPECT_EQ(commit(id, 2, 0, 5), ErrorCode::none);
    EXPECT_EQ(commit(id, 3, 0, 6), ErrorCode::illegal_generation);
    EXPECT_EQ(commit(id, 1, 0, 6), ErrorCode::none) << "it has had it since then";
    EXPECT_EQ(commit(id, 1, 2, 6), ErrorCode::illegal_generation) << "that is another's";
    EXPECT_EQ(commit("stranger", 2, 0, 6), ErrorCode::unknown_member_id);
    EXPECT_EQ(leave("stranger"), ErrorCode::unknown_member_id);
}

TEST_F(KafkaGroupMigration, ACooperativeMemberGivesBackBeforeOthersReceive) {
    const std::vector<std::string> cooperative = {"cooperative-sticky"};
    const std::string id = join("", {}, cooperative).member_id;
    EXPECT_EQ(join(id, {}, cooperative).generation, 1);
    EXPECT_EQ(sync(id, 1, {{id, {0, 1, 2, 3}}}).error, ErrorCode::none);
    EXPECT_EQ(beat("A", 0).assignment, Partitions());
    EXPECT_EQ(join(id, {0, 1, 2, 3}, cooperative).generation, 1) << "until it has given back";
    EXPECT_EQ(sync(id, 1).partitions, (Partitions{0, 1}));
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::rebalance_in_progress);
    EXPECT_FALSE(beat("A", 2, Partitions{}).assignment);
    EXPECT_EQ(join(id, {0, 1}, cooperative).generation, 2);
    EXPECT_EQ(sync(id, 2).partitions, (Partitions{0, 1}));
    EXPECT_EQ(beat("A", 2, Partitions{}).assignment, (Partitions{2, 3}));
}

TEST_F(KafkaGroupMigration, WhoWaitsForPartitionsIsCalledWhenTheyAreFree) {
    beat("A", 0);
    const std::string id = join("").member_id;
    EXPECT_EQ(join(id).generation, 2) << "a classic member comes to a consumer group";
    EXPECT_EQ(sync(id, 2).partitions, Partitions());
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::none) << "A has everything";
    EXPECT_EQ(beat("A", 1, Partitions{0, 1, 2, 3}).assignment, (Partitions{0, 1}));
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::none);
    EXPECT_EQ(beat("A", 1, Partitions{0, 1}).member_epoch, 2);
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::rebalance_in_progress);
    EXPECT_EQ(join(id).generation, 2);
    EXPECT_EQ(sync(id, 2).partitions, (Partitions{2, 3}));
}

TEST_F(KafkaGroupMigration, WhoJoinsOrSyncsMeanwhileBeginsAnew) {
    const std::string first = settle_one();
    const auto waiting = begin_join(new_id());
    kafka.run_for(seconds(1)); // for the first member to join again
    beat("A", 0);
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(waiting)->error, ErrorCode::rebalance_in_progress);
    EXPECT_EQ(heartbeat(first, 1), ErrorCode::rebalance_in_progress);
    EXPECT_FALSE(beat("A", 2, Partitions{}).assignment) << "the first member holds them yet";
}

TEST_F(KafkaGroupMigration, WhatMembersHoldWhileTheySyncIsTheirsAfterwards) {
    const std::string first = settle_one();
    const std::string second = new_id();
    const auto joins = begin_join(second);
    EXPECT_EQ(join(first).generation, 2);
    kafka.finish<JoinGroupAnswer>(joins);
    const auto waiting = begin_sync(second, 2); // for the leader
    kafka.run_for(seconds(1));
    beat("A", 0);
    EXPECT_EQ(kafka.finish<SyncGroupAnswer>(waiting)->error, ErrorCode::rebalance_in_progress);
    EXPECT_EQ(join(second).generation, 3);
    EXPECT_EQ(sync(second, 3).partitions, Partitions());
    EXPECT_EQ(join(first).generation, 3);
    EXPECT_FALSE(sync(first, 3).partitions.empty());
}

TEST_F(KafkaGroupMigration, WhoDoesNotJoinAgainInTimeIsThrownOut) {
    const std::string id = settle_one(); // its rebalance timeout is 60 s
    beat("A", 0);
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::rebalance_in_progress);
    keep_alive(id, 1);
    kafka.run_for(seconds(11));
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::unknown_member_id);
    EXPECT_EQ(beat("A", 2, Partitions{}).assignment, (Partitions{0, 1, 2, 3}));
}

TEST_F(KafkaGroupMigration, WhoDoesNotSyncInTimeIsThrownOut) {
    const std::string id = settle_one();
    beat("A", 0);
    EXPECT_EQ(join(id).generation, 2);
    keep_alive(id, 2);
    kafka.run_for(seconds(11));
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::unknown_member_id);
}

TEST_F(KafkaGroupMigration, WhoJoinsAndSyncsInTimeStays) {
    const std::string id = settle_mixed();
    keep_alive(id, 2);
    keep_alive(id, 2);
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::none);
}

TEST_F(KafkaGroupMigration, AClassicMembersSessionIsAsLongAsItSaid) {
    const std::string id = settle_one();
    beat("A", 0);
    JoinGroupRequest request = join_request(id);
    request.session_timeout = seconds(10);
    kafka.call<JoinGroupAnswer>(coordinator(), calls::join_group, request);
    EXPECT_EQ(sync(id, 2).error, ErrorCode::none);
    kafka.run_for(seconds(9));
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::none);
    kafka.run_for(seconds(11));
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::unknown_member_id);
}

TEST_F(KafkaGroupMigration, BecomesAClassicGroupWhenTheLastOfTheNewProtocolLeaves) {
    const std::string id = settle_mixed();
    EXPECT_EQ(commit(id, 2, 0, 5), ErrorCode::none);
    EXPECT_EQ(error_of("A", -1), ErrorCode::none);
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::rebalance_in_progress);
    EXPECT_EQ(sync(id, 2).error, ErrorCode::rebalance_in_progress);
    const JoinGroupAnswer joined = join(id);
    EXPECT_EQ(joined.generation, 3);
    EXPECT_EQ(joined.leader, id) << "members share out again";
    EXPECT_EQ(sync(id, 3, {{id, {0, 1, 2, 3}}}).partitions, (Partitions{0, 1, 2, 3}));
    EXPECT_EQ(committed(0).offsets.front().offset, 5) << "the commits stay";
    EXPECT_EQ(commit(id, 3, 0, 6), ErrorCode::none);
    EXPECT_EQ(error_of("A", 2), ErrorCode::group_id_not_found);
}

TEST_F(KafkaGroupMigration, BecomesAClassicGroupWhenTheLastOfTheNewProtocolFallsSilent) {
    const std::string id = settle_mixed();
    kafka.run_for(seconds(30));
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::none);
    kafka.run_for(seconds(16));
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::rebalance_in_progress);
    EXPECT_EQ(join(id).leader, id);
}

// Source: ClassicGroup.fromConsumerGroup: the group's epoch is the generation of all.
TEST_F(KafkaGroupMigration, WhoIsInAnEarlierEpochIsNotOfTheClassicGroupsGeneration) {
    const std::string id = settle_one();
    beat("A", 0);
    EXPECT_EQ(error_of("A", -1), ErrorCode::none);
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::illegal_generation);
    EXPECT_EQ(commit(id, 1, 0, 5), ErrorCode::illegal_generation);
    EXPECT_EQ(join(id).generation, 3);
}

TEST_F(KafkaGroupMigration, StaysAConsumerGroupWhenOnlyClassicMembersLeave) {
    const std::string id = settle_mixed();
    EXPECT_EQ(leave(id), ErrorCode::none);
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::unknown_member_id);
    EXPECT_EQ(beat("A", 2, Partitions{2, 3}).assignment, (Partitions{0, 1, 2, 3}));
}

TEST_F(KafkaGroupMigration, TheNextCoordinatorKnowsWhatTheGroupHasBecome) {
    const std::string id = settle_mixed();
    const BrokerId first = move_coordinator();
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::none);
    EXPECT_EQ(error_of("A", 2, Partitions{2, 3}), ErrorCode::none);
    EXPECT_EQ(join(id).leader, "");
    EXPECT_EQ(sync(id, 2).partitions, (Partitions{0, 1}));
    EXPECT_EQ(error_of("A", -1), ErrorCode::none);
    kafka.cluster.broker(first).start();
    kafka.run_for(seconds(20));
    move_coordinator();
    EXPECT_EQ(error_of("A", 2), ErrorCode::group_id_not_found);
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::none) << "the rebalance is not in the log";
    EXPECT_EQ(join(id).leader, id);
}

class GroupMigrationFailureStage : public GroupMigrationStage {
protected:
    GroupMigrationFailureStage() : GroupMigrationStage(careful()) {}

    static ClusterOptions careful() {
        ClusterOptions options = prompt();
        options.offsets_topic_min_insync = 3;
        return options;
    }
    void lose_a_follower() {
        kafka.cluster.broker(coordinator() % 3 + 1).crash("test");
        kafka.run_for(seconds(12));
    }
};

using KafkaGroupMigrationFailure = GroupMigrationFailureStage;

TEST_F(KafkaGroupMigrationFailure, LeavesTheClassicGroupAsItWas) {
    const std::string id = settle_one();
    lose_a_follower();
    EXPECT_EQ(error_of("A", 0), ErrorCode::coordinator_not_available);
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::none);
    EXPECT_EQ(sync(id, 1).partitions, (Partitions{0, 1, 2, 3}));
}

TEST_F(KafkaGroupMigrationFailure, LeavesTheConsumerGroupAsItWas) {
    const std::string id = settle_mixed();
    lose_a_follower();
    EXPECT_EQ(error_of("A", -1), ErrorCode::coordinator_not_available);
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::none);
    EXPECT_EQ(error_of("A", 2), ErrorCode::none);
}

TEST_F(KafkaGroupMigration, TakesOnlyProtocolsThatAllClassicMembersKnow) {
    settle_mixed();
    EXPECT_EQ(join("", {}, {"sticky"}).error, ErrorCode::inconsistent_group_protocol);
    const JoinGroupAnswer third = join("", {}, {"sticky", "range"});
    EXPECT_EQ(third.error, ErrorCode::member_id_required);
    EXPECT_EQ(join(third.member_id, {}, {"sticky", "range"}).protocol, "sticky");
    EXPECT_EQ(join("").error, ErrorCode::group_max_size_reached); // which is 3
}

TEST_F(KafkaGroupMigration, AStaticMemberMayComeBackByEitherProtocol) {
    const auto first = kafka.finish<JoinGroupAnswer>(begin_join_as("", {}, {"range"}, "one"));
    EXPECT_EQ(first->error, ErrorCode::none);
    EXPECT_EQ(sync(first->member_id, 1, {{first->member_id, {0, 1, 2, 3}}}).error, ErrorCode::none);
    ConsumerGroupHeartbeatRequest request = beat_of("A", 0);
    request.instance_id = "one";
    const ConsumerGroupHeartbeatAnswer upgraded = send(request);
    EXPECT_EQ(upgraded.error, ErrorCode::none);
    EXPECT_EQ(upgraded.assignment, (Partitions{0, 1, 2, 3})) << "its former self has them no more";
    EXPECT_EQ(heartbeat(first->member_id, 1), ErrorCode::unknown_member_id);

    const auto back = kafka.finish<JoinGroupAnswer>(begin_join_as("", {}, {"range"}, "one"));
    EXPECT_EQ(back->error, ErrorCode::none);
    EXPECT_EQ(back->generation, upgraded.member_epoch) << "a classic group without a rebalance";
    EXPECT_EQ(sync(back->member_id, back->generation).partitions, (Partitions{0, 1, 2, 3}));
    EXPECT_EQ(heartbeat(back->member_id, back->generation), ErrorCode::none);
    EXPECT_EQ(error_of("A", 1), ErrorCode::group_id_not_found);
}

template <GroupMigrationPolicy Policy>
class GroupMigrationPolicyStage : public GroupMigrationStage {
protected:
    GroupMigrationPolicyStage() : GroupMigrationStage(with(Policy)) {}
};

using KafkaGroupMigrationUpgrade = GroupMigrationPolicyStage<GroupMigrationPolicy::upgrade>;
using KafkaGroupMigrationDowngrade = GroupMigrationPolicyStage<GroupMigrationPolicy::downgrade>;
using KafkaGroupMigrationDisabled = GroupMigrationPolicyStage<GroupMigrationPolicy::disabled>;

TEST_F(KafkaGroupMigrationUpgrade, NeverGoesBack) {
    const std::string id = settle_mixed();
    EXPECT_EQ(error_of("A", -1), ErrorCode::none);
    EXPECT_EQ(heartbeat(id, 2), ErrorCode::none) << "the target is made when somebody joins";
    const JoinGroupAnswer joined = join(id);
    EXPECT_EQ(joined.generation, 3);
    EXPECT_EQ(joined.leader, "");
    EXPECT_EQ(sync(id, 3).partitions, (Partitions{0, 1, 2, 3}));
}

TEST_F(KafkaGroupMigrationDowngrade, OnlyGoesBack) {
    const std::string classic = settle_one();
    EXPECT_EQ(error_of("A", 0), ErrorCode::group_id_not_found);
    EXPECT_EQ(heartbeat(classic, 1), ErrorCode::none);
    EXPECT_EQ(leave(classic), ErrorCode::none);
    EXPECT_EQ(beat("A", 0).member_epoch, 1);
    const std::string id = join("").member_id;
    EXPECT_EQ(join(id).generation, 2);
    EXPECT_EQ(error_of("A", -1), ErrorCode::none);
    EXPECT_EQ(join(id).leader, id);
}

TEST_F(KafkaGroupMigrationDisabled, ChangesItsProtocolOnlyWhileItIsEmpty) {
    const std::string id = settle_one(); // a classic member
    EXPECT_EQ(error_of("A", 0), ErrorCode::group_id_not_found);
    EXPECT_EQ(commit(id, 1, 0, 5), ErrorCode::none);
    EXPECT_EQ(leave(id), ErrorCode::none);
    EXPECT_EQ(error_of("A", 0), ErrorCode::none);
    EXPECT_EQ(committed(0).offsets.front().offset, 5) << "the commits stay";
    EXPECT_EQ(join("").error, ErrorCode::inconsistent_group_protocol);
    EXPECT_EQ(error_of("A", -1), ErrorCode::none);
    EXPECT_EQ(join("").error, ErrorCode::member_id_required);
}

} // namespace

namespace testing {
namespace {

using crier::kafka::Assignor;
using crier::kafka::GroupProtocol;

ConsumerOptions member_options(GroupProtocol protocol, Assignor assignor) {
    ConsumerOptions options = group_options("billing");
    options.group_protocol = protocol;
    options.assignors = {assignor};
    options.session_timeout = 10s;
    options.enable_auto_commit = false;
    return options;
}

/// Polls and commits each batch until it is told to end, and closes.
asio::awaitable<void> work_until(ClientProgram& program, ConsumerOptions options, const bool& ends,
                                 Seen& seen) {
    NotingListener listener(seen);
    const auto consumer = program.client.consumer(std::move(options));
    consumer->subscribe({"orders"}, &listener);
    while (!ends) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        if (polled.has_error()) seen.notes.push_back(polled.error().code.message());
        if (polled.has_error()) co_return;
        for (const ConsumerRecord& record : *polled)
            seen.values.push_back(record.value);
        if (polled->empty()) continue;
        std::vector<TopicPartitionOffset> offsets = after(*polled);
        const Outcome<void> outcome = co_await consumer->commit(std::move(offsets));
        seen.commits.push_back(outcome);
    }
    co_await consumer->close();
}

/// Two members end and start one after the other as members of the new protocol, then as classic
/// ones again.
class RollingMigration : public ::testing::TestWithParam<Assignor> {};

TEST_P(RollingMigration, LosesNothingAndNobodyIsGivenWhatAnotherHolds) {
    Farm farm(1, {topic_of("orders", 4)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 4, 20ms); });
    struct Member {
        Seen seen;
        GroupProtocol protocol = GroupProtocol::classic;
        bool ends = false;
        sim::Node* node = nullptr;
    };
    std::vector<Member> members(2);
    for (Member& member : members) {
        const std::string name = &member == &members.front() ? "billing/1" : "billing/2";
        member.node = &farm.add(name, [&member](ClientProgram& it) {
            return work_until(it, member_options(member.protocol, GetParam()), member.ends,
                              member.seen);
        });
    }
    farm.run_for(20s);
    for (const GroupProtocol next : {GroupProtocol::consumer, GroupProtocol::classic}) {
        for (Member& member : members) {
            member.ends = true;
            farm.run_for(5s);
            member.node->crash("it has ended");
            member.ends = false;
            member.protocol = next;
            member.node->start();
            farm.run_for(30s);
            EXPECT_EQ(check_owners(farm.world).size(), 4u);
        }
    }
    std::map<std::string, std::size_t> copies;
    std::size_t delivered = 0;
    for (const Member& member : members) {
        delivered += member.seen.values.size();
        for (const std::string& value : member.seen.values)
            ++copies[value];
        for (const std::string& note : member.seen.notes)
            EXPECT_FALSE(note.starts_with("lost")) << note;
    }
    EXPECT_GT(copies.size(), 5000u);
    for (std::size_t at = 0; at + 100 < copies.size(); ++at)
        ASSERT_TRUE(copies.contains(std::to_string(at))) << at << " was never delivered";
    EXPECT_LT(delivered, copies.size() + 100) << "whoever comes goes on where others stopped";
}

INSTANTIATE_TEST_SUITE_P(Members, RollingMigration,
                         ::testing::Values(Assignor::range, Assignor::cooperative_sticky));

// Every third life of a member is by the new protocol. It is soon missed when it ends, so the group
// changes its protocol often.
TEST(KafkaMigratingMembers, NobodyIsGivenWhatAnotherHolds) {
    ClusterOptions cluster = quick_cluster();
    cluster.consumer_group_session_timeout = 6s;
    cluster.consumer_group_heartbeat_interval = 2s;
    for (const Assignor assignor :
         {Assignor::range, Assignor::sticky, Assignor::cooperative_sticky}) {
        const auto options = [assignor](std::size_t at, std::size_t life) {
            const bool is_new = (at + life) % 3 == 2;
            return member_options(is_new ? GroupProtocol::consumer : GroupProtocol::classic,
                                  assignor);
        };
        for (std::uint64_t seed = 1; seed <= 6; ++seed)
            EXPECT_EQ(come_and_go(seed, options, cluster), 5u) << "seed " << seed;
    }
}

} // namespace
} // namespace testing
} // namespace crier::broker::kafka
