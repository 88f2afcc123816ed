#include "tests/broker-model/kafka_group_stage.hpp"
#include "tests/broker-model/kafka_member_programs.hpp"

// What becomes of commits: their notes, their age, their deletion; and consumers that are nobody's
// members.

namespace crier::broker::kafka {
namespace {

using std::chrono::minutes;

ClusterOptions forgetful() {
    ClusterOptions options;
    options.offsets_retention = minutes(60);
    options.offset_metadata_max_bytes = 8;
    options.group_max_size = 2;
    return options;
}

class OffsetsStage : public GroupStage {
protected:
    OffsetsStage() : GroupStage(forgetful()) {}

    Offset offset_of(PartitionId of) { return committed(of).offsets.front().offset; }

    ErrorCode commit_with(const std::string& id, std::int32_t generation,
                          std::vector<PartitionOffset> offsets) {
        OffsetCommitRequest request;
        request.group = "billing";
        request.member_id = id;
        request.generation = generation;
        request.offsets = std::move(offsets);
        return kafka.call<OffsetCommitAnswer>(coordinator(), calls::offset_commit, request)->error;
    }
    ErrorCode delete_group(const std::string& group) {
        DeleteGroupRequest request;
        request.group = group;
        const BrokerId at = kafka.leader(kafka.cluster.offsets_partition(group));
        return kafka.call<ErrorAnswer>(at, calls::delete_group, request)->error;
    }
    ErrorCode delete_offsets(std::vector<PartitionId> partitions) {
        OffsetDeleteRequest request;
        request.group = "billing";
        request.partitions = std::move(partitions);
        return kafka.call<ErrorAnswer>(coordinator(), calls::offset_delete, request)->error;
    }
    /// Lets time pass while the member shows that it is there.
    void stay(const std::string& id, Duration duration) {
        for (Duration passed{}; passed < duration; passed += seconds(30)) {
            kafka.run_for(seconds(30));
            EXPECT_EQ(heartbeat(id, 1), ErrorCode::none);
        }
    }
};

using KafkaCommits = OffsetsStage;

TEST_F(KafkaCommits, KeepANoteOfLimitedLength) {
    EXPECT_EQ(commit_with("", -1, {{0, 5, "note"}}), ErrorCode::none);
    EXPECT_EQ(committed(0).offsets.front().metadata, "note");
    EXPECT_EQ(commit_with("", -1, {{0, 6, "nine long"}, {1, 7, "eight..."}}),
              ErrorCode::offset_metadata_too_large);
    EXPECT_EQ(offset_of(0), 5);
    EXPECT_EQ(offset_of(1), 7) << "the others are taken";
}

TEST_F(KafkaCommits, OfAnEmptyGroupAreForgottenAfterItsRetention) {
    const std::string id = settle_one();
    EXPECT_EQ(commit(id, 1, 0, 5), ErrorCode::none);
    stay(id, minutes(90));
    EXPECT_EQ(offset_of(0), 5) << "its topic is subscribed to";
    EXPECT_EQ(leave(id), ErrorCode::none);
    kafka.run_for(minutes(55));
    EXPECT_EQ(offset_of(0), 5) << "counted from when it became empty";
    kafka.run_for(minutes(16));
    EXPECT_EQ(offset_of(0), -1);
    EXPECT_EQ(kafka.log.of(events::offset_expired).size(), 1u);
    EXPECT_EQ(heartbeat(id, 1), ErrorCode::unknown_member_id);
    EXPECT_EQ(commit(id, 2, 0, 5), ErrorCode::illegal_generation) << "the group is gone, too";
}

TEST_F(KafkaCommits, OfNoGroupAreForgottenAfterTheirCommit) {
    EXPECT_EQ(commit("", -1, 0, 5), ErrorCode::none);
    kafka.run_for(minutes(40));
    EXPECT_EQ(commit("", -1, 1, 6), ErrorCode::none);
    kafka.run_for(minutes(35));
    EXPECT_EQ(offset_of(0), -1);
    EXPECT_EQ(offset_of(1), 6);
}

TEST_F(KafkaCommits, ThatAreForgottenStaySoAtTheNextCoordinator) {
    EXPECT_EQ(commit("", -1, 0, 5), ErrorCode::none);
    kafka.run_for(minutes(75));
    ASSERT_EQ(offset_of(0), -1);
    const BrokerId before = coordinator();
    kafka.cluster.broker(before).crash("test");
    ASSERT_TRUE(kafka.run_until([&] { return coordinator() != before; }, seconds(12)));
    kafka.run_for(seconds(2));
    EXPECT_EQ(offset_of(0), -1);
}

TEST_F(KafkaCommits, AreDeletedWithTheirGroupOnceItIsEmpty) {
    EXPECT_EQ(delete_group("billing"), ErrorCode::group_id_not_found);
    const std::string id = settle_one();
    EXPECT_EQ(commit(id, 1, 0, 5), ErrorCode::none);
    EXPECT_EQ(delete_group("billing"), ErrorCode::non_empty_group);
    EXPECT_EQ(leave(id), ErrorCode::none);
    EXPECT_EQ(delete_group("billing"), ErrorCode::none);
    EXPECT_EQ(offset_of(0), -1);
    EXPECT_EQ(delete_group("billing"), ErrorCode::group_id_not_found);
}

TEST_F(KafkaCommits, OfATopicThatIsSubscribedToAreNotDeleted) {
    EXPECT_EQ(delete_offsets({0}), ErrorCode::group_id_not_found);
    const std::string id = settle_one();
    EXPECT_EQ(commit(id, 1, 0, 5), ErrorCode::none);
    EXPECT_EQ(delete_offsets({0}), ErrorCode::group_subscribed_to_topic);
    EXPECT_EQ(leave(id), ErrorCode::none);
    EXPECT_EQ(delete_offsets({0, 1}), ErrorCode::none);
    EXPECT_EQ(offset_of(0), -1);
}

TEST_F(KafkaCommits, AGroupTakesNoMoreMembersThanItMay) {
    const std::string first = settle_one();
    const std::string second = new_id();
    const auto joining = begin_join(second);
    kafka.run_for(milliseconds(10));
    const auto rejoined = kafka.finish<JoinGroupAnswer>(begin_join(first));
    kafka.finish<JoinGroupAnswer>(joining);
    kafka.finish<SyncGroupAnswer>(begin_sync(first, rejoined->generation, {{first, {0}}}));
    EXPECT_EQ(kafka.finish<JoinGroupAnswer>(begin_join(""))->error,
              ErrorCode::group_max_size_reached);
}

} // namespace

namespace testing {
namespace {

/// Reads chosen partitions without a group's membership.
asio::awaitable<void> read_chosen(ClientProgram& program, ConsumerOptions options,
                                  std::vector<TopicPartition> chosen, Seen& seen) {
    options.enable_auto_commit = false;
    const auto consumer = program.client.consumer(std::move(options));
    consumer->assign(chosen);
    EXPECT_EQ(consumer->assignment(), chosen);
    for (;;) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        for (const ConsumerRecord& record : *polled)
            seen.values.push_back(record.value);
        if (polled->empty()) continue;
        std::vector<TopicPartitionOffset> offsets = after(*polled);
        offsets[0].metadata = "read";
        const Outcome<void> outcome = co_await consumer->commit(offsets);
        seen.commits.push_back(outcome);
        const Outcome<std::vector<TopicPartitionOffset>> found =
            co_await consumer->committed(chosen);
        if (outcome) {
            EXPECT_EQ(found.value(), offsets);
        }
        const Outcome<Offset> position = co_await consumer->position(chosen[0]);
        EXPECT_EQ(position.value(), offsets[0].offset);
    }
}

// Two that share a group's name know nothing of each other; what one commits the other overwrites.
TEST(KafkaAssignedConsumer, ReadsWhatItChoseAndCommitsWhileTheGroupIsEmpty) {
    Farm farm(1, {topic_of("orders", 2)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 2, 100ms); });
    Seen first;
    Seen second;
    Seen member;
    const std::vector<TopicPartition> chosen{{"orders", 1}};
    farm.add("a", [&](ClientProgram& it) {
        return read_chosen(it, group_options("billing"), chosen, first);
    });
    farm.add("b", [&](ClientProgram& it) {
        return read_chosen(it, group_options("billing"), chosen, second);
    });
    farm.run_for(10s);
    EXPECT_GT(first.values.size(), 20u);
    EXPECT_EQ(first.values, second.values) << "both read everything";
    EXPECT_EQ(first.values[1], "3") << "of that partition";
    for (const Outcome<void>& outcome : first.commits)
        EXPECT_TRUE(outcome);
    EXPECT_EQ(farm.count(events::generation_started), 0u);
    farm.add("billing/1",
             [&](ClientProgram& it) { return work(it, group_options("billing"), member); });
    farm.run_for(5s);
    first.commits.clear();
    farm.run_for(5s);
    ASSERT_FALSE(first.commits.empty());
    for (const Outcome<void>& outcome : first.commits) {
        ASSERT_TRUE(outcome.has_error()) << "the group has a member now";
        EXPECT_EQ(outcome.error().code, make_error_code(ErrorCode::unknown_member_id));
        EXPECT_EQ(outcome.error().certainty, Certainty::failed);
    }
    EXPECT_EQ(member.notes, (std::vector<std::string>{"assigned orders/0 orders/1"}));
}

asio::awaitable<void> read_without_group(ClientProgram& program, Seen& seen) {
    const auto consumer = program.client.consumer(group_options(""));
    consumer->assign({{"orders", 0}});
    for (int at = 0; at < 50; ++at) {
        const Outcome<Records> polled = co_await consumer->poll(100ms);
        for (const ConsumerRecord& record : *polled)
            seen.values.push_back(record.value);
        if (at == 25) consumer->assign({{"orders", 0}, {"orders", 1}});
    }
    co_await consumer->close();
    seen.notes.push_back("closed");
}

TEST(KafkaAssignedConsumer, NeedsNoGroupAndGoesOnWithWhatItKeeps) {
    Farm farm(1, {topic_of("orders", 2)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 2, 100ms); });
    Seen seen;
    farm.add("a", [&](ClientProgram& it) { return read_without_group(it, seen); });
    farm.run_for(20s);
    EXPECT_EQ(seen.notes, std::vector<std::string>{"closed"});
    EXPECT_GT(seen.values.size(), 20u);
    const std::set<std::string> once(seen.values.begin(), seen.values.end());
    EXPECT_EQ(once.size(), seen.values.size()) << "nothing is read again";
    EXPECT_TRUE(once.contains("1")) << "the second partition from its beginning";
}

} // namespace
} // namespace testing
} // namespace crier::broker::kafka
