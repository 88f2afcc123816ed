#include "tests/broker-model/kafka_client_fixture.hpp"
#include "tests/broker-model/kafka_group_stage.hpp"

// Static members (KIP-345): by hand against the coordinator, and with the client library.

namespace crier::broker::kafka {
namespace {

class StaticMemberStage : public GroupStage {
protected:
    PendingCall<JoinGroupAnswer> begin_join_as(const std::string& instance,
                                               const std::string& member_id = "",
                                               std::vector<std::string> protocols = {"range"}) {
        JoinGroupRequest request = join_request(member_id);
        request.instance_id = instance;
        request.session_timeout = seconds(45);
        request.rebalance_timeout = seconds(10);
        request.protocols = std::move(protocols);
        return kafka.begin<JoinGroupAnswer>(coordinator(), calls::join_group, request, seconds(90));
    }
    JoinGroupAnswer join_as(const std::string& instance) {
        return kafka.finish<JoinGroupAnswer>(begin_join_as(instance)).value();
    }
    ErrorCode heartbeat_as(const std::string& instance, const std::string& id,
                           std::int32_t generation) {
        HeartbeatRequest request;
        request.group = "billing";
        request.member_id = id;
        request.instance_id = instance;
        request.generation = generation;
        return kafka.call<ErrorAnswer>(coordinator(), calls::heartbeat, request)->error;
    }
    ErrorCode commit_as(const std::string& instance, const std::string& id,
                        std::int32_t generation) {
        OffsetCommitRequest request;
        request.group = "billing";
        request.member_id = id;
        request.instance_id = instance;
        request.generation = generation;
        request.offsets.push_back({0, 7});
        return kafka.call<OffsetCommitAnswer>(coordinator(), calls::offset_commit, request)->error;
    }
    ErrorCode leave_as(const std::string& instance) {
        LeaveGroupRequest request;
        request.group = "billing";
        request.instance_id = instance;
        return kafka.call<ErrorAnswer>(coordinator(), calls::leave_group, request)->error;
    }
    SyncGroupAnswer sync_as(const std::string& instance, const std::string& id,
                            std::int32_t generation,
                            std::vector<MemberAssignment> assignments = {}) {
        SyncGroupRequest request;
        request.group = "billing";
        request.member_id = id;
        request.instance_id = instance;
        request.generation = generation;
        request.assignments = std::move(assignments);
        return kafka.call<SyncGroupAnswer>(coordinator(), calls::sync_group, request).value();
    }

    /// Makes a stable group of one static member. **Returns** its member id.
    std::string settle_as(const std::string& instance) {
        const JoinGroupAnswer joined = join_as(instance);
        EXPECT_EQ(joined.error, ErrorCode::none);
        EXPECT_EQ(joined.generation, 1);
        const std::string id = joined.member_id;
        EXPECT_EQ(sync_as(instance, id, 1, {{id, {0, 1, 2, 3}}}).partitions.size(), 4u);
        return id;
    }
};

using KafkaStaticMember = StaticMemberStage;

TEST_F(KafkaStaticMember, ComesBackWithoutARebalanceAndItsFormerSelfIsFenced) {
    const std::string before = settle_as("billing-1");
    const Instant asked = kafka.world.now();
    const JoinGroupAnswer back = join_as("billing-1");
    EXPECT_LT(kafka.world.now() - asked, milliseconds(100));
    EXPECT_EQ(back.error, ErrorCode::none);
    EXPECT_EQ(back.generation, 1);
    EXPECT_NE(back.member_id, before);
    EXPECT_EQ(back.leader, back.member_id);
    EXPECT_TRUE(back.skip_assignment);
    EXPECT_EQ(sync_as("billing-1", back.member_id, 1).partitions,
              (std::vector<PartitionId>{0, 1, 2, 3}));
    EXPECT_EQ(heartbeat_as("billing-1", back.member_id, 1), ErrorCode::none);
    EXPECT_EQ(heartbeat_as("billing-1", before, 1), ErrorCode::fenced_instance_id);
    EXPECT_EQ(commit_as("billing-1", before, 1), ErrorCode::fenced_instance_id);
    EXPECT_EQ(sync_as("billing-1", before, 1).error, ErrorCode::fenced_instance_id);
    EXPECT_EQ(commit_as("billing-1", back.member_id, 1), ErrorCode::none);
    EXPECT_EQ(kafka.log.of(events::generation_started).size(), 1u);
}

TEST_F(KafkaStaticMember, ReturningUnderAnotherProtocolRebalances) {
    settle_as("billing-1");
    const auto joined =
        kafka.finish<JoinGroupAnswer>(begin_join_as("billing-1", "", {"roundrobin"}));
    EXPECT_EQ(joined->error, ErrorCode::inconsistent_group_protocol)
        << "it must share one with the group as it is, itself included";
    const auto wider =
        kafka.finish<JoinGroupAnswer>(begin_join_as("billing-1", "", {"roundrobin", "range"}));
    EXPECT_EQ(wider->generation, 2);
    EXPECT_EQ(wider->protocol, "roundrobin");
}

TEST_F(KafkaStaticMember, ItsReturnWhileTheGroupSyncsRebalances) {
    const JoinGroupAnswer first = join_as("billing-1");
    EXPECT_EQ(first.generation, 1);
    const JoinGroupAnswer back = join_as("billing-1"); // the leader has not shared out yet
    EXPECT_EQ(back.generation, 2);
    EXPECT_FALSE(back.skip_assignment);
    EXPECT_EQ(heartbeat_as("billing-1", first.member_id, 1), ErrorCode::fenced_instance_id);
}

TEST_F(KafkaStaticMember, IsKeptPastTheRebalanceTimeoutUntilItsSessionEnds) {
    const std::string away = settle_as("billing-1");
    const auto joining = begin_join_as("billing-2");
    const Instant asked = kafka.world.now();
    const auto joined = kafka.finish<JoinGroupAnswer>(joining);
    EXPECT_GE(kafka.world.now() - asked, seconds(10)) << "its rebalance timeout is waited for";
    EXPECT_EQ(joined->generation, 2);
    EXPECT_EQ(joined->leader, joined->member_id) << "who is away cannot lead";
    ASSERT_EQ(joined->members.size(), 2u) << "and keeps its place";
    const std::string id = joined->member_id;
    sync_as("billing-2", id, 2, {{away, {0, 1}}, {id, {2, 3}}});
    const JoinGroupAnswer back = join_as("billing-1");
    EXPECT_EQ(back.generation, 2);
    EXPECT_EQ(sync_as("billing-1", back.member_id, 2).partitions, (std::vector<PartitionId>{0, 1}));
    for (int at = 0; at < 17; ++at) {
        kafka.run_for(seconds(3));
        if (heartbeat_as("billing-2", id, 2) != ErrorCode::none) break;
        EXPECT_LT(at, 16) << "its session of 45 s has not ended";
    }
    EXPECT_EQ(heartbeat_as("billing-1", back.member_id, 2), ErrorCode::unknown_member_id);
}

TEST_F(KafkaStaticMember, IsRemovedByItsInstanceId) {
    const std::string id = settle_as("billing-1");
    EXPECT_EQ(leave_as("billing-2"), ErrorCode::unknown_member_id);
    EXPECT_EQ(leave_as("billing-1"), ErrorCode::none);
    EXPECT_EQ(heartbeat_as("billing-1", id, 1), ErrorCode::unknown_member_id);
}

TEST_F(KafkaStaticMember, IsKnownToTheNextCoordinator) {
    settle_as("billing-1");
    const JoinGroupAnswer second = join_as("billing-1");
    sync_as("billing-1", second.member_id, 1);
    const BrokerId before = coordinator();
    kafka.cluster.broker(before).crash("test");
    ASSERT_TRUE(kafka.run_until([&] { return coordinator() != before; }, seconds(12)));
    kafka.run_for(milliseconds(100));
    EXPECT_EQ(heartbeat_as("billing-1", second.member_id, 1), ErrorCode::none);
    const JoinGroupAnswer third = join_as("billing-1");
    EXPECT_EQ(third.generation, 1);
    EXPECT_EQ(sync_as("billing-1", third.member_id, 1).partitions.size(), 4u);
    EXPECT_EQ(heartbeat_as("billing-1", second.member_id, 1), ErrorCode::fenced_instance_id);
}

} // namespace

namespace testing {
namespace {

/// Polls until a poll fails, and notes it; with `polls`, closes after as many. After 50 polls it is
/// busy once.
asio::awaitable<void> take_part(ClientProgram& program, ConsumerOptions options, int polls,
                                Duration busy, Seen& seen) {
    NotingListener listener(seen);
    const auto consumer = program.client.consumer(std::move(options));
    consumer->subscribe({"orders"}, &listener);
    for (int at = 0; polls == 0 || at < polls; ++at) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        if (polled.has_error()) {
            seen.notes.push_back(polled.error().code.message());
            co_return;
        }
        if (at == 50 && busy > 0ms) co_await program.ports.sleep(busy);
    }
    co_await consumer->close();
}

ConsumerOptions static_options(std::string instance) {
    ConsumerOptions options = group_options("billing");
    options.group_instance_id = std::move(instance);
    return options;
}

// The rolling deploy: with dynamic members every restart is a rebalance, with static ones none.
TEST(KafkaClientStaticMember, ThatRestartsGetsItsPartitionsBackWithoutARebalance) {
    for (const bool is_static : {false, true}) {
        Farm farm(1, {topic_of("orders", 4)});
        std::vector<Seen> seen(2);
        std::vector<sim::Node*> nodes;
        for (std::size_t at = 0; at < 2; ++at) {
            const std::string name = "billing-" + std::to_string(at + 1);
            nodes.push_back(&farm.add(name, [&, at, name](ClientProgram& it) {
                return take_part(it, static_options(is_static ? name : ""), 0, 0ms, seen[at]);
            }));
        }
        farm.run_for(15s);
        const std::size_t generations = farm.count(events::generation_started);
        for (std::size_t at = 0; at < 2; ++at) {
            const std::string held = seen[at].notes.back();
            nodes[at]->crash("deploy");
            farm.run_for(5s);
            nodes[at]->start();
            farm.run_for(70s);
            if (!is_static) continue;
            EXPECT_EQ(seen[at].notes.back(), held);
        }
        const std::size_t more = farm.count(events::generation_started) - generations;
        if (is_static) {
            EXPECT_EQ(more, 0u);
        } else {
            EXPECT_EQ(more, 2u);
        }
    }
}

TEST(KafkaClientStaticMember, IsFencedByAnotherOfItsName) {
    Farm farm(1, {topic_of("orders", 2)});
    Seen first;
    Seen second;
    farm.add("a", [&](ClientProgram& it) {
        return take_part(it, static_options("billing"), 0, 0ms, first);
    });
    farm.run_for(10s);
    farm.add("b", [&](ClientProgram& it) {
        return take_part(it, static_options("billing"), 0, 0ms, second);
    });
    farm.run_for(10s);
    EXPECT_EQ(first.notes,
              (std::vector<std::string>{"assigned orders/0 orders/1", "FENCED_INSTANCE_ID"}));
    EXPECT_EQ(second.notes, (std::vector<std::string>{"assigned orders/0 orders/1"}));
}

TEST(KafkaClientStaticMember, ThatClosesStaysUntilItsSessionEnds) {
    Farm farm(1, {topic_of("orders", 2)});
    Seen first;
    Seen second;
    farm.add("a", [&](ClientProgram& it) {
        return take_part(it, static_options("billing-1"), 100, 0ms, first);
    });
    farm.run_for(20s);
    ASSERT_EQ(first.notes.back(), "revoked orders/0 orders/1");
    farm.add("b", [&](ClientProgram& it) {
        return take_part(it, group_options("billing"), 0, 0ms, second);
    });
    farm.run_for(20s);
    EXPECT_TRUE(second.notes.empty()) << "the group waits for the one that may come back";
    farm.run_for(30s);
    EXPECT_EQ(second.notes, (std::vector<std::string>{"assigned orders/0 orders/1"}));
}

// A dynamic member that does not poll leaves; a static one only falls silent.
TEST(KafkaClientStaticMember, ThatDoesNotPollStopsItsHeartbeats) {
    Farm farm(1, {topic_of("orders", 2)});
    Seen slow;
    ConsumerOptions options = static_options("billing-1");
    options.max_poll_interval = 10s;
    farm.add("a", [&](ClientProgram& it) { return take_part(it, options, 0, 90s, slow); });
    farm.run_for(30s);
    EXPECT_EQ(farm.count(events::generation_started), 1u);
    farm.run_for(40s);
    EXPECT_EQ(farm.count(events::generation_started), 2u) << "its session has ended";
    farm.run_for(50s);
    EXPECT_EQ(slow.notes,
              (std::vector<std::string>{"assigned orders/0 orders/1", "lost orders/0 orders/1",
                                        "assigned orders/0 orders/1"}));
}

} // namespace
} // namespace testing
} // namespace crier::broker::kafka
