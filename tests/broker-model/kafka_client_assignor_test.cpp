#include "broker-model/kafka/assignors/assignors.hpp"
#include "tests/broker-model/kafka_client_fixture.hpp"

namespace crier::broker::kafka::testing {
namespace {

struct AssignorWorld {
    explicit AssignorWorld(const std::vector<std::int32_t>& partitions)
        : world(options_for(1)), cluster(world, quick_cluster(), topics(partitions)) {}

    static std::vector<TopicOptions> topics(const std::vector<std::int32_t>& partitions) {
        std::vector<TopicOptions> made;
        for (std::size_t at = 0; at < partitions.size(); ++at) {
            made.push_back(topic_of("t" + std::to_string(at), partitions[at], 1, 1));
        }
        return made;
    }

    /// Returns `A t0-0 t0-1; B -` for members with these subscriptions.
    std::string share(const std::vector<GroupMember>& members,
                      crier::kafka::Assignor by = crier::kafka::Assignor::range) const {
        std::string text;
        for (const MemberAssignment& assignment : assignor_info(by).assign(cluster, members)) {
            if (!text.empty()) text += "; ";
            text += assignment.member_id;
            for (const PartitionId partition : assignment.partitions) {
                const PartitionInfo& info = cluster.info(partition);
                text += " " + cluster.topic(info.topic).name + "-" + std::to_string(info.index);
            }
        }
        return text;
    }

    sim::World world;
    Cluster cluster;
};

std::vector<GroupMember> members_of(std::initializer_list<const char*> ids,
                                    const std::vector<TopicId>& topics) {
    std::vector<GroupMember> members;
    for (const char* id : ids)
        members.push_back({id, topics, {}, -1});
    return members;
}

// The expected shares were computed with the Java client's RangeAssignor.
TEST(RangeAssignor, SharesAsTheJavaClientDoes) {
    EXPECT_EQ(AssignorWorld({3, 3}).share(members_of({"A", "B"}, {0, 1})),
              "A t0-0 t0-1 t1-0 t1-1; B t0-2 t1-2");
    EXPECT_EQ(AssignorWorld({7}).share(members_of({"A", "B", "C"}, {0})),
              "A t0-0 t0-1 t0-2; B t0-3 t0-4; C t0-5 t0-6");
    EXPECT_EQ(AssignorWorld({2}).share(members_of({"A", "B", "C"}, {0})), "A t0-0; B t0-1; C");
    EXPECT_EQ(AssignorWorld({2, 2}).share(members_of({"A", "B", "C"}, {0, 1})),
              "A t0-0 t1-0; B t0-1 t1-1; C");
    EXPECT_EQ(AssignorWorld({4, 1, 1}).share(members_of({"A", "B"}, {0, 1, 2})),
              "A t0-0 t0-1 t1-0 t2-0; B t0-2 t0-3");
    EXPECT_EQ(AssignorWorld({2, 2, 2, 2}).share(members_of({"C0", "C1", "C2"}, {0, 1, 2, 3})),
              "C0 t0-0 t1-0 t2-0 t3-0; C1 t0-1 t1-1 t2-1 t3-1; C2");
}

TEST(RangeAssignor, GivesATopicOnlyToItsSubscribers) {
    const std::vector<GroupMember> members{
        {"A", {0}, {}, -1}, {"B", {0, 1}, {}, -1}, {"C", {0, 1, 2}, {}, -1}};
    EXPECT_EQ(AssignorWorld({1, 2, 3}).share(members), "A t0-0; B t1-0; C t1-1 t2-0 t2-1 t2-2");
}

TEST(RangeAssignor, OrdersMembersByIdWhateverTheirOrder) {
    EXPECT_EQ(AssignorWorld({3}).share(members_of({"b", "a"}, {0})), "b t0-2; a t0-0 t0-1");
}

// Topics are served by name, in whatever order they were made. Computed with RoundRobinAssignor.
TEST(RoundRobinAssignor, ServesTopicsByName) {
    sim::World world(options_for(1));
    const Cluster cluster(world, quick_cluster(), {topic_of("b", 2, 1, 1), topic_of("a", 1, 1, 1)});
    const std::vector<GroupMember> members = members_of({"A", "B"}, {0, 1});
    const auto shares = assign_round_robin(cluster, members);
    const std::vector<PartitionId> first{cluster.partition(0, 1), cluster.partition(1, 0)};
    EXPECT_EQ(shares[0].partitions, first);
    EXPECT_EQ(assign_sticky(cluster, members)[0].partitions, first);
}

/// Says the same in another way: partition p of n goes to the member whose share covers it.
std::string owner_of(std::int32_t index, std::int32_t partitions,
                     const std::vector<std::string>& sorted) {
    const auto count = static_cast<std::int32_t>(sorted.size());
    for (std::int32_t rank = 0; rank < count; ++rank) {
        const std::int32_t before = partitions / count * rank + std::min(rank, partitions % count);
        const std::int32_t until =
            partitions / count * (rank + 1) + std::min(rank + 1, partitions % count);
        if (index >= before && index < until) return sorted[static_cast<std::size_t>(rank)];
    }
    return {};
}

TEST(RangeAssignor, AgreesWithASecondImplementationOnDrawnGroups) {
    static constexpr sim::Purpose purpose{"test.range"};
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        const sim::Random random(seed);
        std::vector<std::int32_t> counts;
        for (std::uint64_t topic = 0; topic < 1 + random.draw(purpose, 1).below(4); ++topic) {
            counts.push_back(1 +
                             static_cast<std::int32_t>(random.draw(purpose, 2, topic).below(13)));
        }
        const AssignorWorld made(counts);
        std::vector<GroupMember> members;
        for (std::uint64_t at = 0; at < 1 + random.draw(purpose, 3).below(7); ++at) {
            GroupMember& member = members.emplace_back();
            member.member_id =
                "m" + std::to_string(random.draw(purpose, 4, at).below(1'000'000'000));
            for (TopicId topic = 0; topic < counts.size(); ++topic) {
                if (random.draw(purpose, 5, at, topic).below(4) > 0) member.topics.push_back(topic);
            }
        }
        std::map<PartitionId, std::string> owners;
        for (const MemberAssignment& assignment : assign_range(made.cluster, members)) {
            for (const PartitionId partition : assignment.partitions) {
                EXPECT_TRUE(owners.emplace(partition, assignment.member_id).second) << seed;
            }
        }
        for (TopicId topic = 0; topic < counts.size(); ++topic) {
            std::vector<std::string> sorted;
            for (const GroupMember& member : members) {
                if (std::count(member.topics.begin(), member.topics.end(), topic) > 0) {
                    sorted.push_back(member.member_id);
                }
            }
            std::sort(sorted.begin(), sorted.end());
            for (std::int32_t index = 0; index < counts[topic]; ++index) {
                const PartitionId partition = made.cluster.partition(topic, index);
                const std::string expected = owner_of(index, counts[topic], sorted);
                const auto owner = owners.find(partition);
                EXPECT_EQ(owner == owners.end() ? "" : owner->second, expected)
                    << "seed " << seed << " topic " << topic << " partition " << index;
            }
        }
    }
}

using crier::kafka::Assignor;

// The expected shares of both were computed with the Java client's classes.
TEST(RoundRobinAssignor, SharesAsTheJavaClientDoes) {
    const auto share = [](const AssignorWorld& world, std::initializer_list<const char*> ids,
                          const std::vector<TopicId>& topics) {
        const std::string text = world.share(members_of(ids, topics), Assignor::round_robin);
        EXPECT_EQ(text, world.share(members_of(ids, topics), Assignor::sticky)) << "fresh";
        return text;
    };
    EXPECT_EQ(share(AssignorWorld({3, 3}), {"A", "B"}, {0, 1}),
              "A t0-0 t0-2 t1-1; B t0-1 t1-0 t1-2");
    EXPECT_EQ(share(AssignorWorld({7}), {"A", "B", "C"}, {0}),
              "A t0-0 t0-3 t0-6; B t0-1 t0-4; C t0-2 t0-5");
    EXPECT_EQ(share(AssignorWorld({2}), {"A", "B", "C"}, {0}), "A t0-0; B t0-1; C");
    EXPECT_EQ(share(AssignorWorld({2, 2}), {"A", "B", "C"}, {0, 1}), "A t0-0 t1-1; B t0-1; C t1-0");
    EXPECT_EQ(share(AssignorWorld({4, 1, 1}), {"A", "B"}, {0, 1, 2}),
              "A t0-0 t0-2 t1-0; B t0-1 t0-3 t2-0");
    EXPECT_EQ(share(AssignorWorld({2, 2, 2, 2}), {"C0", "C1", "C2"}, {0, 1, 2, 3}),
              "C0 t0-0 t1-1 t3-0; C1 t0-1 t2-0 t3-1; C2 t1-0 t2-1");
}

TEST(RoundRobinAssignor, PassesOverWhoDidNotSubscribe) {
    const std::vector<GroupMember> members{
        {"A", {0}, {}, -1}, {"B", {0, 1}, {}, -1}, {"C", {0, 1, 2}, {}, -1}};
    EXPECT_EQ(AssignorWorld({1, 2, 3}).share(members, Assignor::round_robin),
              "A t0-0; B t1-0; C t1-1 t2-0 t2-1 t2-2");
    EXPECT_EQ(AssignorWorld({1, 2, 3}).share(members, Assignor::sticky),
              "A t0-0; B t1-0 t1-1; C t2-0 t2-1 t2-2");
}

// Computed with the Java client's classes: sticky knows member ids only.
TEST(Assignors, ServeStaticMembersFirst) {
    std::vector<GroupMember> members = members_of({"zz", "yy", "aa"}, {0});
    members[0].instance_id = "i1";
    members[1].instance_id = "i2";
    const AssignorWorld four({4});
    EXPECT_EQ(four.share(members), "zz t0-0 t0-1; yy t0-2; aa t0-3");
    EXPECT_EQ(four.share(members, Assignor::round_robin), "zz t0-0 t0-3; yy t0-1; aa t0-2");
    EXPECT_EQ(four.share(members, Assignor::sticky), "zz t0-2; yy t0-1; aa t0-0 t0-3");
}

/// A member of one topic that owned partitions of it.
GroupMember owner(const char* id, std::vector<PartitionId> owned, std::int32_t generation) {
    return {id, {0}, std::move(owned), generation};
}

TEST(StickyAssignor, LeavesWhatItCanWhereItWas) {
    const auto share = [](std::int32_t partitions, const std::vector<GroupMember>& members) {
        return AssignorWorld({partitions}).share(members, Assignor::sticky);
    };
    EXPECT_EQ(share(7, {owner("A", {0, 1, 2, 3, 4, 5, 6}, 1), owner("B", {}, -1)}),
              "A t0-0 t0-1 t0-2 t0-3; B t0-4 t0-5 t0-6");
    EXPECT_EQ(share(6, {owner("A", {0, 1, 2}, 2), owner("B", {3, 4, 5}, 2), owner("C", {}, -1)}),
              "A t0-0 t0-1; B t0-3 t0-4; C t0-2 t0-5");
    EXPECT_EQ(share(6, {owner("A", {0, 1}, 3), owner("B", {3, 4}, 3)}),
              "A t0-0 t0-1 t0-2; B t0-3 t0-4 t0-5");
    EXPECT_EQ(share(8, {owner("A", {0, 1, 2}, 2), owner("B", {3, 4, 5}, 2)}),
              "A t0-0 t0-1 t0-2 t0-6; B t0-3 t0-4 t0-5 t0-7");
}

TEST(StickyAssignor, BelievesTheLaterGenerationAndOfEqualsNobody) {
    const auto share = [](const std::vector<GroupMember>& members) {
        return AssignorWorld({4}).share(members, Assignor::sticky);
    };
    EXPECT_EQ(share({owner("A", {0, 1}, 5), owner("B", {1, 2}, 4)}), "A t0-0 t0-1; B t0-2 t0-3");
    EXPECT_EQ(share({owner("A", {0, 1}, 4), owner("B", {1, 2}, 5)}), "A t0-0 t0-3; B t0-1 t0-2");
    EXPECT_EQ(share({owner("A", {0, 1}, 5), owner("B", {1, 2}, 5)}), "A t0-0 t0-1; B t0-2 t0-3");
}

/// The rules that hold for any assignor, and those of fairness, on drawn groups that change.
TEST(Assignors, GiveEveryPartitionOneSubscriberAndShareEvenly) {
    static constexpr sim::Purpose purpose{"test.assignors"};
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        const sim::Random random(seed);
        std::vector<std::int32_t> counts;
        for (std::uint64_t topic = 0; topic < 1 + random.draw(purpose, 1).below(4); ++topic) {
            counts.push_back(1 +
                             static_cast<std::int32_t>(random.draw(purpose, 2, topic).below(9)));
        }
        const AssignorWorld made(counts);
        const bool equal = random.draw(purpose, 3).below(2) == 0;
        std::vector<GroupMember> members;
        for (std::uint64_t at = 0; at < 1 + random.draw(purpose, 4).below(6); ++at) {
            GroupMember& member = members.emplace_back();
            member.member_id = "m" + std::to_string(random.draw(purpose, 5, at).below(1000)) + "-" +
                               std::to_string(at);
            for (TopicId topic = 0; topic < counts.size(); ++topic) {
                if (equal || random.draw(purpose, 6, at, topic).below(3) > 0)
                    member.topics.push_back(topic);
            }
        }
        for (const Assignor by : {Assignor::range, Assignor::round_robin, Assignor::sticky}) {
            std::vector<GroupMember> now = members;
            for (int round = 0; round < 3; ++round) {
                const auto shares = assignor_info(by).assign(made.cluster, now);
                std::map<PartitionId, std::size_t> owners;
                std::size_t least = 1000;
                std::size_t most = 0;
                for (std::size_t at = 0; at < shares.size(); ++at) {
                    ASSERT_EQ(shares[at].member_id, now[at].member_id);
                    for (const PartitionId partition : shares[at].partitions) {
                        const TopicId topic = made.cluster.info(partition).topic;
                        ASSERT_TRUE(owners.emplace(partition, at).second) << seed;
                        ASSERT_TRUE(std::count(now[at].topics.begin(), now[at].topics.end(), topic))
                            << seed;
                    }
                    least = std::min(least, shares[at].partitions.size());
                    most = std::max(most, shares[at].partitions.size());
                }
                std::size_t wanted = 0;
                for (TopicId topic = 0; topic < counts.size(); ++topic) {
                    const bool is_wanted =
                        std::any_of(now.begin(), now.end(), [topic](const GroupMember& member) {
                            return std::count(member.topics.begin(), member.topics.end(), topic) >
                                   0;
                        });
                    wanted += is_wanted ? static_cast<std::size_t>(counts[topic]) : 0;
                }
                ASSERT_EQ(owners.size(), wanted) << seed;
                if (equal && by != Assignor::range) ASSERT_LE(most - least, 1u) << seed;
                // Whoever stays keeps, by stickiness, as much as an even share allows.
                if (equal && by == Assignor::sticky) {
                    for (std::size_t at = 0; at < shares.size(); ++at) {
                        const auto& had = now[at].owned;
                        const auto kept = static_cast<std::size_t>(
                            std::count_if(had.begin(), had.end(), [&](PartitionId partition) {
                                return owners.at(partition) == at;
                            }));
                        ASSERT_GE(kept, std::min(had.size(), wanted / now.size())) << seed;
                    }
                }
                for (std::size_t at = 0; at < shares.size(); ++at) {
                    now[at].owned = shares[at].partitions;
                    now[at].owned_generation = round;
                }
                if (now.size() > 1 && round == 0) now.erase(now.begin());
                if (round == 1) now.push_back({"z-new", now.front().topics, {}, -1});
            }
        }
    }
}

} // namespace
} // namespace crier::broker::kafka::testing
