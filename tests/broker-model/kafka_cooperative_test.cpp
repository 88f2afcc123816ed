#include "broker-model/kafka/assignors/assignors.hpp"
#include "tests/broker-model/kafka_member_programs.hpp"

// Cooperative rebalancing (KIP-429): the assignor, and members that keep what stays theirs.

namespace crier::broker::kafka::testing {
namespace {

using crier::kafka::Assignor;
using Shares = std::map<std::string, std::vector<PartitionId>>;

/// A cluster of one topic with as many partitions.
struct OneTopic {
    explicit OneTopic(std::int32_t partitions)
        : world(options_for(1)),
          cluster(world, quick_cluster(), {topic_of("t", partitions, 1, 1)}) {}

    [[nodiscard]] Shares share(const std::vector<GroupMember>& members) const {
        Shares shares;
        for (const MemberAssignment& one : assign_cooperative_sticky(cluster, members))
            shares[one.member_id] = one.partitions;
        return shares;
    }

    sim::World world;
    Cluster cluster;
};

GroupMember owner(const char* id, std::vector<PartitionId> owned, std::int32_t generation) {
    return {id, {0}, std::move(owned), generation};
}

// The expected shares were computed with the Java client's CooperativeStickyAssignor.
TEST(CooperativeStickyAssignor, FollowsTheReferenceSequences) {
    const OneTopic six(6);
    EXPECT_EQ(six.share({owner("A", {0, 1, 2}, 1), owner("B", {3, 4, 5}, 1), owner("C", {}, -1)}),
              (Shares{{"A", {0, 1}}, {"B", {3, 4}}, {"C", {}}}));
    EXPECT_EQ(six.share({owner("A", {0, 1}, 2), owner("B", {3, 4}, 2), owner("C", {}, 2)}),
              (Shares{{"A", {0, 1}}, {"B", {3, 4}}, {"C", {2, 5}}}));
    EXPECT_EQ(six.share({owner("A", {0, 1}, 3), owner("B", {3, 4}, 3)}),
              (Shares{{"A", {0, 1, 2}}, {"B", {3, 4, 5}}}));
    const OneTopic seven(7);
    EXPECT_EQ(seven.share({owner("A", {0, 1, 2, 3, 4, 5, 6}, 1), owner("B", {}, -1)}),
              (Shares{{"A", {0, 1, 2, 3}}, {"B", {}}}));
    EXPECT_EQ(seven.share({owner("A", {0, 1, 2, 3}, 2), owner("B", {}, 2)}),
              (Shares{{"A", {0, 1, 2, 3}}, {"B", {4, 5, 6}}}));
    const OneTopic four(4);
    EXPECT_EQ(four.share({owner("A", {0, 1}, 5), owner("B", {1, 2}, 4)}),
              (Shares{{"A", {0, 1}}, {"B", {2, 3}}}));
    EXPECT_EQ(four.share({owner("A", {0, 1}, 5), owner("B", {1, 2}, 5)}),
              (Shares{{"A", {0}}, {"B", {2, 3}}}));
    EXPECT_EQ(OneTopic(8).share({owner("A", {0, 1, 2}, 1), owner("B", {3, 4, 5}, 1)}),
              (Shares{{"A", {0, 1, 2, 6}}, {"B", {3, 4, 5, 7}}}));
}

/// Says the same in another way, for equal subscriptions: how many each may keep, in which round
/// each gets how many of the rest, and what of all this has to wait.
Shares share_otherwise(PartitionId count, std::vector<GroupMember> members) {
    std::sort(members.begin(), members.end(), [](const GroupMember& one, const GroupMember& other) {
        return one.member_id < other.member_id;
    });
    const std::size_t quota = count / members.size();
    std::size_t extras = count % members.size();
    std::map<PartitionId, std::string> holders; // whose claim is believed
    std::set<PartitionId> claimed;
    for (PartitionId partition = 0; partition < count; ++partition) {
        std::int32_t latest = -2;
        for (const GroupMember& member : members) {
            if (!std::count(member.owned.begin(), member.owned.end(), partition)) continue;
            claimed.insert(partition);
            if (member.owned_generation > latest) holders[partition] = member.member_id;
            if (member.owned_generation == latest) holders[partition] = "";
            latest = std::max(latest, member.owned_generation);
        }
    }
    Shares shares;
    std::vector<std::string> takers;                         // of one more each, at last
    std::map<std::size_t, std::vector<std::string>> missing; // by how many are missing
    for (const GroupMember& member : members) {
        std::vector<PartitionId>& share = shares[member.member_id];
        for (const auto& [partition, holder] : holders) {
            if (holder == member.member_id) share.push_back(partition);
        }
        const bool may_have_extra = share.size() > quota && extras > 0;
        if (may_have_extra) --extras;
        if (share.size() < quota) {
            missing[quota - share.size()].push_back(member.member_id);
        } else if (!may_have_extra) {
            takers.push_back(member.member_id);
        }
        share.resize(std::min(share.size(), quota + (may_have_extra ? 1 : 0)));
    }
    std::set<PartitionId> taken;
    for (const auto& [id, share] : shares)
        taken.insert(share.begin(), share.end());
    std::vector<std::string> turns;
    for (std::size_t round = 1; round <= quota; ++round) {
        std::set<std::string> in_need;
        for (const auto& [size, ids] : missing) {
            if (size >= round) in_need.insert(ids.begin(), ids.end());
        }
        turns.insert(turns.end(), in_need.begin(), in_need.end());
    }
    for (const auto& [size, ids] : missing)
        takers.insert(takers.end(), ids.begin(), ids.end());
    turns.insert(turns.end(), takers.begin(), takers.end());
    std::size_t turn = 0;
    for (PartitionId partition = 0; partition < count; ++partition) {
        if (taken.contains(partition)) continue;
        const std::string& id = turns.at(turn++);
        const bool moves = claimed.contains(partition) && holders[partition] != id;
        if (!moves) shares[id].push_back(partition);
    }
    for (auto& [id, share] : shares)
        std::sort(share.begin(), share.end());
    return shares;
}

TEST(CooperativeStickyAssignor, AgreesWithASecondImplementationOnDrawnGroups) {
    static constexpr sim::Purpose purpose{"test.cooperative"};
    std::size_t withheld = 0;
    for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
        const sim::Random random(seed);
        const auto count = static_cast<PartitionId>(1 + random.draw(purpose, 1).below(16));
        const OneTopic topic(static_cast<std::int32_t>(count));
        std::vector<GroupMember> members;
        for (std::uint64_t at = 0; at < 1 + random.draw(purpose, 2).below(6); ++at) {
            GroupMember& member = members.emplace_back();
            member.member_id = "m" + std::to_string(random.draw(purpose, 3, at).below(1000)) + "-" +
                               std::to_string(at);
            member.topics = {0};
            member.owned_generation =
                static_cast<std::int32_t>(random.draw(purpose, 4, at).below(3));
            for (PartitionId partition = 0; partition < count; ++partition) {
                if (random.draw(purpose, 5, at, partition).below(3) == 0)
                    member.owned.push_back(partition);
            }
        }
        const Shares shares = topic.share(members);
        ASSERT_EQ(shares, share_otherwise(count, members)) << "seed " << seed;
        std::size_t given = 0;
        for (const auto& [id, share] : shares)
            given += share.size();
        withheld += count - given;
    }
    EXPECT_GT(withheld, 100u);
}

/// With any subscriptions: what sticky would give, without what another claims; and the next round,
/// after everybody gave back what he did not get, hands out everything.
TEST(CooperativeStickyAssignor, MovesAPartitionInTwoRounds) {
    static constexpr sim::Purpose purpose{"test.cooperative-rounds"};
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        const sim::Random random(seed);
        sim::World world(options_for(1));
        std::vector<TopicOptions> topics;
        for (std::uint64_t topic = 0; topic < 1 + random.draw(purpose, 1).below(3); ++topic) {
            const auto size = static_cast<std::int32_t>(random.draw(purpose, 2, topic).below(6));
            topics.push_back(topic_of("t" + std::to_string(topic), 1 + size, 1, 1));
        }
        const std::size_t topic_count = topics.size();
        const Cluster cluster(world, quick_cluster(), std::move(topics));
        std::vector<GroupMember> members;
        for (std::uint64_t at = 0; at < 2 + random.draw(purpose, 3).below(4); ++at) {
            GroupMember& member = members.emplace_back();
            member.member_id = "m" + std::to_string(at);
            for (TopicId topic = 0; topic < topic_count; ++topic) {
                if (random.draw(purpose, 4, at, topic).below(4) > 0) member.topics.push_back(topic);
            }
        }
        std::map<PartitionId, std::string> owners;
        for (std::int32_t round = 0; round < 12; ++round) {
            if (round % 3 == 2) { // somebody goes, somebody comes
                const std::string gone = members.front().member_id;
                members.erase(members.begin());
                std::erase_if(owners, [&gone](const auto& it) { return it.second == gone; });
                std::vector<TopicId> all;
                for (TopicId topic = 0; topic < topic_count; ++topic)
                    all.push_back(topic);
                members.push_back({"n" + std::to_string(round), all, {}, -1});
            }
            const auto given = assign_cooperative_sticky(cluster, members);
            std::size_t given_count = 0;
            for (const MemberAssignment& one : given) {
                for (const PartitionId partition : one.partitions) {
                    ++given_count;
                    const auto held = owners.find(partition);
                    ASSERT_TRUE(held == owners.end() || held->second == one.member_id)
                        << "seed " << seed << ": " << partition << " has two owners";
                }
            }
            owners.clear();
            for (std::size_t at = 0; at < given.size(); ++at) {
                for (const PartitionId partition : given[at].partitions)
                    owners[partition] = given[at].member_id;
                members[at].owned = given[at].partitions;
                members[at].owned_generation = round;
            }
            if (round % 3 != 1) continue; // the second round in peace
            std::set<PartitionId> wanted;
            for (const GroupMember& member : members) {
                for (const TopicId topic : member.topics) {
                    for (std::int32_t at = 0; at < cluster.topic(topic).partitions; ++at)
                        wanted.insert(cluster.partition(topic, at));
                }
            }
            ASSERT_EQ(given_count, wanted.size()) << "seed " << seed << " round " << round;
        }
    }
}

ConsumerOptions cooperative() {
    ConsumerOptions options = group_options("billing");
    options.assignors = {Assignor::cooperative_sticky};
    return options;
}

TEST(KafkaCooperative, AMemberKeepsWhatItHasWhileOthersCome) {
    Farm farm(1, {topic_of("orders", 6)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 6, 20ms); });
    std::vector<Seen> seen(3);
    for (std::size_t at = 0; at < seen.size(); ++at) {
        farm.add("billing/" + std::to_string(at + 1),
                 [&, at](ClientProgram& it) { return work(it, cooperative(), seen[at]); });
        farm.run_for(15s);
    }
    EXPECT_EQ(seen[0].notes, (std::vector<std::string>{
                                 "assigned orders/0 orders/1 orders/2 orders/3 orders/4 "
                                 "orders/5",
                                 "revoked orders/3 orders/4 orders/5", "assigned ", "assigned ",
                                 "revoked orders/2", "assigned ", "assigned "}));
    EXPECT_EQ(seen[1].notes,
              (std::vector<std::string>{"assigned ", "assigned orders/3 orders/4 orders/5",
                                        "revoked orders/5", "assigned ", "assigned "}));
    EXPECT_EQ(seen[2].notes, (std::vector<std::string>{"assigned ", "assigned orders/2 orders/5"}));
    EXPECT_EQ(check_owners(farm.world).size(), 6u);
    for (const Outcome<void>& outcome : seen[0].commits) {
        if (outcome.has_error()) {
            EXPECT_EQ(outcome.error().code, make_error_code(ErrorCode::rebalance_in_progress));
        }
    }
}

/// Returns the longest time that a partition which `node` holds all the while delivered nothing.
Duration longest_silence(Farm& farm, const sim::Node& node, const std::string& partition,
                         Instant since) {
    const std::uint64_t name = farm.world.history().name(partition);
    Instant last = since;
    Duration longest{};
    for (const sim::Event& event : farm.world.history().events()) {
        const Instant at{Duration(event.time)};
        const bool is_it = event.kind == events::delivered.id && event.node == node.id() &&
                           event.operands[0] == name;
        if (!is_it || at < since) continue;
        longest = std::max(longest, at - last);
        last = at;
    }
    return longest;
}

// The rebalance waits for a member that does not poll: an eager group stands still meanwhile.
TEST(KafkaCooperative, RecordsFlowWhileTheGroupRebalances) {
    for (const bool is_cooperative : {false, true}) {
        Farm farm(1, {topic_of("orders", 4)});
        farm.add("producer", [](ClientProgram& it) { return produce_on(it, 4, 20ms); });
        Seen seen;
        const auto options = [is_cooperative] {
            ConsumerOptions made = cooperative();
            if (!is_cooperative) made.assignors = {Assignor::range};
            return made;
        };
        const sim::Node& first =
            farm.add("billing/1", [&](ClientProgram& it) { return work(it, options(), seen); });
        farm.run_for(10s);
        Seen other;
        sim::Node& second =
            farm.add("billing/2", [&](ClientProgram& it) { return work(it, options(), other); });
        farm.run_for(10s);
        const Instant since = farm.world.now();
        farm.add_fault(sim::FaultKind::pause, {second.id()}, 20s);
        Seen third;
        farm.add("billing/3", [&](ClientProgram& it) { return work(it, options(), third); });
        farm.run_for(30s);
        const Duration silence = longest_silence(farm, first, "orders/0", since);
        if (is_cooperative) {
            EXPECT_LT(silence, 1s);
        } else {
            EXPECT_GT(silence, 10s);
        }
    }
}

TEST(KafkaCooperative, WhoIsThrownOutLosesWhatItKept) {
    Farm farm(1, {topic_of("orders", 2)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 2, 50ms); });
    Seen first;
    Seen second;
    ConsumerOptions options = cooperative();
    options.session_timeout = 10s;
    sim::Node& zombie =
        farm.add("billing/1", [&](ClientProgram& it) { return work(it, options, first); });
    farm.run_for(10s);
    farm.add_fault(sim::FaultKind::pause, {zombie.id()}, 30s);
    farm.add("billing/2", [&](ClientProgram& it) { return work(it, options, second); });
    farm.run_for(60s);
    ASSERT_GE(first.notes.size(), 2u);
    EXPECT_EQ(first.notes[0], "assigned orders/0 orders/1");
    EXPECT_EQ(first.notes[1], "lost orders/0 orders/1");
    EXPECT_EQ(second.notes[0], "assigned orders/0 orders/1");
    const std::size_t refused = static_cast<std::size_t>(
        std::count_if(first.commits.begin(), first.commits.end(),
                      [](const Outcome<void>& outcome) { return outcome.has_error(); }));
    EXPECT_LE(refused, 3u) << "it comes back as another member";
}

// One restart each, from the default to cooperative-sticky alone. The group is safe all the time.
TEST(KafkaCooperative, OneRollingRestartMakesADefaultGroupCooperative) {
    Farm farm(1, {topic_of("orders", 6)});
    farm.add("producer", [](ClientProgram& it) { return produce_on(it, 6, 50ms); });
    std::vector<Seen> seen(4);
    std::vector<bool> is_new(4, false);
    std::vector<sim::Node*> nodes;
    for (std::size_t at = 0; at < 3; ++at) {
        nodes.push_back(&farm.add("billing/" + std::to_string(at + 1), [&, at](ClientProgram& it) {
            return work(it, is_new[at] ? cooperative() : group_options("billing"), seen[at]);
        }));
    }
    farm.run_for(20s);
    for (std::size_t at = 0; at < 3; ++at) {
        nodes[at]->crash("deploy");
        is_new[at] = true;
        nodes[at]->start();
        farm.run_for(70s);
    }
    for (Seen& one : seen)
        one.notes.clear();
    farm.add("billing/4", [&](ClientProgram& it) { return work(it, cooperative(), seen[3]); });
    farm.run_for(20s);
    EXPECT_EQ(check_owners(farm.world).size(), 6u);
    std::size_t revoked = 0;
    for (std::size_t at = 0; at < 3; ++at) {
        for (const std::string& note : seen[at].notes) {
            if (!note.starts_with("revoked")) continue;
            revoked += static_cast<std::size_t>(std::count(note.begin(), note.end(), '/'));
        }
    }
    EXPECT_EQ(revoked, 1u) << "the fourth of six gets one, and nobody else gives anything";
}

TEST(KafkaCooperative, NobodyIsGivenWhatAnotherHolds) {
    ConsumerOptions options = cooperative();
    options.session_timeout = 10s;
    for (std::uint64_t seed = 1; seed <= 12; ++seed)
        EXPECT_EQ(come_and_go(seed, options), 5u) << "seed " << seed;
}

} // namespace
} // namespace crier::broker::kafka::testing
