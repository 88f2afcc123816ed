#include "broker-model/kafka/assignors/assignors.hpp"
#include "tests/broker-model/kafka_client_fixture.hpp"
#include "tests/conformance/real_kafka.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>

// What needs no broker, compared in bulk with the classes of Kafka's own Java client: where keys
// go, and how range, round-robin, sticky and cooperative-sticky share out.
//
// Range and round-robin are compared exactly, sticky ones exactly where nobody owns anything and
// all subscribe alike. Elsewhere who keeps what depends on the order of a Java hash map: then the
// shares must be as even, and as much must stay where it was. Where members differ in what they
// subscribe to, both search by moving one partition after another, and one of a hundred groups may
// end less even, and one of a hundred partitions move that need not.

namespace crier::conformance {
namespace {

using nlohmann::json;
namespace model = broker::kafka;

constexpr int groups_count = 1000;
constexpr int keys_count = 2000;

/// Draws from one seed, a number after the other.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : draw_(sim::Random(seed).draw(purpose, 0)) {}

    int below(int limit) {
        return static_cast<int>(draw_.next(++count_).below(static_cast<std::uint64_t>(limit)));
    }

private:
    static constexpr sim::Purpose purpose{"test.assignors"};
    sim::Draw draw_;
    std::uint64_t count_ = 0;
};

std::string word(Dice& dice, int length) {
    std::string text;
    for (int at = 0; at < length; ++at)
        text += static_cast<char>('!' + dice.below(94));
    return text;
}

class JavaClient : public ::testing::Test {
protected:
    void SetUp() override {
        const RealCluster kafka = find_real_kafka();
        if (!kafka.is_there()) GTEST_SKIP() << no_real_kafka;
        driver_ = std::make_unique<JavaDriver>(kafka);
    }

    json ask(const std::string& what, const json& cases) {
        json request;
        request[what] = cases;
        return json::parse(driver_->ask(request.dump()));
    }

    std::unique_ptr<JavaDriver> driver_;
};

TEST_F(JavaClient, PutsKeysWhereTheModelDoes) {
    Dice dice(1);
    json cases = json::array();
    for (int at = 0; at < keys_count; ++at) {
        const int length = dice.below(40);
        std::string key = word(dice, length);
        const int partitions = 1 + dice.below(50);
        cases.push_back({{"key", std::move(key)}, {"partitions", partitions}});
    }
    const json places = ask("place", cases).at("places");
    ASSERT_EQ(places.size(), cases.size());
    for (std::size_t at = 0; at < cases.size(); ++at) {
        const std::int32_t hash = model::murmur2(cases[at]["key"].get<std::string>()) & 0x7fffffff;
        ASSERT_EQ(hash % cases[at]["partitions"].get<std::int32_t>(), places[at]) << cases[at];
    }
}

/// A drawn group, in the words of the model and of the driver.
struct DrawnGroup {
    std::vector<model::TopicOptions> topics;
    std::vector<model::GroupMember> members;
    bool is_fresh = true;       ///< Nobody owns anything.
    bool is_of_one_mind = true; ///< All subscribe to the same.
};

struct Shape {
    bool owns = false;
    bool has_static_members = false;
};

void draw_owned(Dice& dice, DrawnGroup& group, const model::Cluster& cluster) {
    group.is_fresh = false;
    for (model::GroupMember& member : group.members)
        member.owned_generation = dice.below(3) == 0 ? 4 : 5;
    for (model::PartitionId id = 0; id < cluster.partition_count(); ++id) {
        if (cluster.is_internal(id)) continue;
        const int claims = dice.below(8); // rarely two
        for (int claim = 0; claim < (claims == 0 ? 0 : claims == 1 ? 2 : 1); ++claim) {
            const int who = dice.below(static_cast<int>(group.members.size()));
            model::GroupMember& member = group.members[static_cast<std::size_t>(who)];
            const auto& wanted = member.topics;
            const bool wants =
                std::find(wanted.begin(), wanted.end(), cluster.info(id).topic) != wanted.end();
            const bool has = !member.owned.empty() && member.owned.back() == id;
            if (wants && !has) member.owned.push_back(id);
        }
    }
}

DrawnGroup draw_group(Dice& dice, Shape shape) {
    DrawnGroup group;
    const int topics = 1 + dice.below(4);
    std::set<std::string> names;
    while (static_cast<int>(names.size()) < topics)
        names.insert("topic-" + std::to_string(dice.below(100)));
    for (const std::string& name : names) {
        const int partitions = 1 + dice.below(7);
        group.topics.push_back(broker::kafka::testing::topic_of(name, partitions, 1, 1));
    }
    // Topics are not made in the order of their names.
    if (dice.below(2) == 0) std::reverse(group.topics.begin(), group.topics.end());
    group.is_of_one_mind = dice.below(2) == 0;
    const int members = 1 + dice.below(7);
    for (int at = 0; at < members; ++at) {
        model::GroupMember& member = group.members.emplace_back();
        member.member_id = "member-" + std::to_string(dice.below(1000)) + std::to_string(at);
        if (shape.has_static_members && dice.below(3) == 0)
            member.instance_id = "instance-" + std::to_string(dice.below(100)) + std::to_string(at);
        for (model::TopicId topic = 0; topic < group.topics.size(); ++topic) {
            const bool wants = group.is_of_one_mind || dice.below(3) > 0;
            if (wants) member.topics.push_back(topic);
        }
        if (member.topics.empty()) member.topics.push_back(0);
    }
    return group;
}

json name_of(const model::Cluster& cluster, model::PartitionId id) {
    const model::PartitionInfo& info = cluster.info(id);
    return json::array({cluster.topic(info.topic).name, info.index});
}

json case_of(const DrawnGroup& group, const model::Cluster& cluster, const std::string& assignor) {
    json made{{"assignor", assignor}, {"topics", json::object()}, {"members", json::array()}};
    for (const model::GroupMember& member : group.members) {
        json topics = json::array();
        for (const model::TopicId id : member.topics) {
            const model::TopicOptions& topic = group.topics[id];
            made["topics"][topic.name] = topic.partitions; // The others do not matter to a group.
            topics.push_back(topic.name);
        }
        json owned = json::array();
        for (const model::PartitionId id : member.owned)
            owned.push_back(name_of(cluster, id));
        made["members"].push_back({{"id", member.member_id},
                                   {"instance", member.instance_id},
                                   {"topics", topics},
                                   {"owned", owned},
                                   {"generation", member.owned_generation}});
    }
    return made;
}

/// What the model gives, in the words of the driver.
json shares_of(const DrawnGroup& group, const model::Cluster& cluster,
               const std::string& assignor) {
    json shares = json::array();
    for (const auto& share : model::find_assignor(assignor).assign(cluster, group.members)) {
        json places = json::array();
        for (const model::PartitionId id : share.partitions)
            places.push_back(name_of(cluster, id));
        std::sort(places.begin(), places.end());
        shares.push_back(std::move(places));
    }
    return shares;
}

/// Whether the member owns the place: nobody else claims it of the same or a later generation.
bool owns(const json& group, std::size_t member, const json& place) {
    const auto claims = [&place](const json& it) {
        return std::find(it["owned"].begin(), it["owned"].end(), place) != it["owned"].end();
    };
    const json& members = group["members"];
    if (!claims(members[member])) return false;
    for (std::size_t at = 0; at < members.size(); ++at) {
        const bool is_later = members[at]["generation"] >= members[member]["generation"];
        if (at != member && is_later && claims(members[at])) return false;
    }
    return true;
}

/// How many partitions stay with a member that owns them.
std::size_t kept(const json& shares, const json& group) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < shares.size(); ++at) {
        for (const json& place : shares[at])
            count += owns(group, at, place) ? 1U : 0U;
    }
    return count;
}

std::multiset<std::size_t> sizes(const json& shares) {
    std::multiset<std::size_t> found;
    for (const json& share : shares)
        found.insert(share.size());
    return found;
}

struct Compared {
    json cases = json::array();
    json ours = json::array();
    std::vector<bool> exactly;
    std::vector<bool> is_of_one_mind;
};

Compared draw_cases(std::uint64_t seed, const std::string& assignor, Shape shape) {
    Compared compared;
    Dice dice(seed);
    for (int at = 0; at < groups_count; ++at) {
        DrawnGroup group = draw_group(dice, shape);
        sim::World world(broker::kafka::testing::options_for(1));
        const model::Cluster cluster(world, {}, group.topics);
        if (shape.owns) draw_owned(dice, group, cluster);
        compared.cases.push_back(case_of(group, cluster, assignor));
        compared.ours.push_back(shares_of(group, cluster, assignor));
        const bool is_plain = assignor == "range" || assignor == "roundrobin";
        compared.is_of_one_mind.push_back(group.is_of_one_mind);
        compared.exactly.push_back(is_plain || (group.is_fresh && group.is_of_one_mind));
    }
    return compared;
}

class JavaAssignors : public JavaClient {
protected:
    void compare(const std::string& assignor, Shape shape) {
        const Compared compared = draw_cases(2, assignor, shape);
        const json theirs = ask("assign", compared.cases).at("assigned");
        ASSERT_EQ(theirs.size(), compared.cases.size());
        std::size_t kept_by_us = 0;
        std::size_t kept_by_them = 0;
        int uneven = 0;
        for (std::size_t at = 0; at < theirs.size(); ++at) {
            SCOPED_TRACE("case " + std::to_string(at) + ": " + compared.cases[at].dump() +
                         "\nours   " + compared.ours[at].dump() + "\ntheirs " + theirs[at].dump());
            if (compared.exactly[at]) {
                ASSERT_EQ(compared.ours[at], theirs[at]);
            } else {
                const std::size_t ours = kept(compared.ours[at], compared.cases[at]);
                const std::size_t java = kept(theirs[at], compared.cases[at]);
                kept_by_us += ours;
                kept_by_them += java;
                // What is withheld while it moves depends on what is kept.
                const bool is_even =
                    assignor != "sticky" || sizes(compared.ours[at]) == sizes(theirs[at]);
                uneven += is_even ? 0 : 1;
                if (compared.is_of_one_mind[at]) {
                    ASSERT_EQ(ours, java);
                    ASSERT_TRUE(is_even);
                }
            }
        }
        EXPECT_GE(kept_by_us * 100, kept_by_them * 99) << kept_by_us << " " << kept_by_them;
        EXPECT_LE(uneven, groups_count / 100);
    }
};

TEST_F(JavaAssignors, RangeSharesAsOursDoes) {
    compare("range", {.owns = false, .has_static_members = true});
}

TEST_F(JavaAssignors, RoundRobinSharesAsOursDoes) {
    compare("roundrobin", {.owns = false, .has_static_members = true});
}

TEST_F(JavaAssignors, StickySharesAsOursDoes) {
    compare("sticky", {});
}

TEST_F(JavaAssignors, StickyKeepsAsMuchAsOursDoes) {
    compare("sticky", {.owns = true});
}

TEST_F(JavaAssignors, CooperativeStickySharesAsOursDoes) {
    compare("cooperative-sticky", {});
}

TEST_F(JavaAssignors, CooperativeStickyKeepsAsMuchAsOursDoes) {
    compare("cooperative-sticky", {.owns = true});
}

} // namespace
} // namespace crier::conformance
