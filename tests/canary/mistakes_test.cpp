// The catalogue keeps its promises: each classic mistake is found soon, by the property that is
// about it, with its cause in words; and what is no mistake holds.
#include "broker-model/events.hpp"
#include "properties/story.hpp"
#include "scenarios/events.hpp"
#include "scenarios/explore.hpp"
#include "tests/support/scenario_runs.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <set>

namespace crier {
namespace {

using properties::VerdictKind;
using testing::HasSubstr;

constexpr std::uint64_t seeds = 20;

struct Mistake {
    std::string scenario;
    std::string property; ///< What finds it.
    std::string cause;    ///< What its story says of why.
};

void PrintTo(const Mistake& mistake, std::ostream* out) {
    *out << mistake.scenario << " " << mistake.property;
}

std::vector<Mistake> mistakes() {
    return {
        {"acknowledge-before-effect", "commit-not-ahead",
         "the offset was committed before the effect was durable"},
        {"acknowledge-before-effect", "ledger",
         "the offset was committed before the effect was durable"},
        {"auto-commit", "commit-not-ahead",
         "the offset was committed before the effect was durable"},
        {"auto-commit", "ledger", "the offset was committed before the effect was durable"},
        {"dual-write", "ledger", "its transaction was committed, and shop/1 died before"},
        {"dual-write", "outbox-no-missing",
         "its transaction was committed, and shop/1 died before"},
        {"lossy-dead-letter", "ledger", "went on before its dead letter was stored"},
        {"memory-dedup", "effect-at-most-once", "its next life did not know of it"},
        {"split-dedup", "ledger", "remembering it and its effect are not one transaction"},
        {"split-dedup", "effect-at-least-once",
         "remembering it and its effect are not one transaction"},
        {"charged-twice", "effect-idempotent-value", ""},
        {"zombie-consumer", "effect-at-most-once", ""},
        {"unclean-election", "ledger", "the log lost it after it was stored"},
        {"rebalance-storm", "rebalance-storm", ""},
        {"retention-passes-a-group", "ledger", ""},
        {"compacted-orders", "ledger", ""},
        {"relay-goes-on", "outbox-order-per-key", "was published while"},
        {"cursor-ignores-gaps", "outbox-no-missing", "which was committed later, was published"},
        {"cursor-waits-a-second", "outbox-no-missing", "which was committed later, was published"},
        {"lost-wake-up", "outbox-no-missing", "had just lost its connection to the database"},
        {"stream-confirms-each", "outbox-no-missing", "died before it was published"},
        {"local-inbox-unsynced", "ledger", "a power loss took back an effect"},
        {"fail-over-loses", "ledger",
         "its effect was in a commit that the replica did not have yet"},
        {"fail-over-loses", "outbox-no-phantom", "took it back"},
        {"slot-ahead-of-replica", "outbox-no-phantom",
         "it was published from a commit that the replica did not have yet"},
        {"wrong-key", "key-affinity", "the record key is not the aggregate"},
        {"wrong-key", "per-key-effect-order", "they are stored in different partitions"},
    };
}

/// Scenarios that teach without a mistake in them.
std::vector<std::string> correct() {
    return {"cooperative-vs-eager", "coordinator-moves", "fail-over",
            "inbox-window",         "local-inbox",       "local-outbox",
            "outbox-change-stream", "outbox-cursor",     "outbox-notified",
            "rolling-deploy",       "static-members"};
}

const properties::Verdict* violated(const scenario::RunResult& run, const std::string& property) {
    for (const properties::Verdict& verdict : run.properties) {
        if (verdict.property == property && verdict.kind == VerdictKind::violated) return &verdict;
    }
    return nullptr;
}

class EveryMistake : public testing::TestWithParam<Mistake> {};

TEST_P(EveryMistake, IsFoundSoonAndItsCauseIsTold) {
    const Mistake& mistake = GetParam();
    const scenario::Scenario scenario = test::load(test::catalogue_file(mistake.scenario));
    std::uint64_t seed = 1;
    while (seed <= seeds && violated(test::run(scenario, seed), mistake.property) == nullptr)
        ++seed;
    ASSERT_LE(seed, seeds) << "no seed violates " << mistake.property;
    const scenario::RunResult run = test::run(scenario, seed, true);
    const properties::Verdict* const verdict = violated(run, mistake.property);
    ASSERT_NE(verdict, nullptr);
    EXPECT_EQ(run.broken, "");
    EXPECT_NE(verdict->witness, "");
    const properties::Story story =
        properties::tell(*verdict, run.history, *run.texts, run.node_names, scenario::events::all);
    EXPECT_THAT(story.cause, HasSubstr(mistake.cause)) << "seed " << seed;
    EXPECT_GE(story.lines.size(), 2U);
    EXPECT_LE(story.lines.size(), properties::story_lines_max);
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryMistake, testing::ValuesIn(mistakes()),
                         [](const auto& given) {
                             return test::test_name(given.param.scenario + "_by_" +
                                                    given.param.property);
                         });

TEST(Catalogue, HasNoMistakeWithoutACanary) {
    std::set<std::string> watched{"order-fulfilment", "hot-key", "transactional-copy",
                                  "share-group-as-a-queue"};
    for (const std::string& scenario : correct())
        watched.insert(scenario);
    for (const Mistake& mistake : mistakes())
        watched.insert(mistake.scenario);
    const std::vector<std::string> names = test::catalogue_names();
    EXPECT_EQ(watched, std::set<std::string>(names.begin(), names.end()));
}

class EveryCorrectOne : public testing::TestWithParam<std::string> {};

TEST_P(EveryCorrectOne, HoldsAndIsStruck) {
    const scenario::Scenario scenario = test::load(test::catalogue_file(GetParam()));
    scenario::ExploreOptions options;
    options.last_seed = 10;
    const scenario::Campaign found =
        scenario::explore(scenario, scenario::stock_services(), options, {});
    EXPECT_EQ(found.verdict, VerdictKind::holds);
    EXPECT_EQ(found.runs, 10U);
    EXPECT_EQ(found.broken, "");
    EXPECT_THAT(found.remarks, testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryCorrectOne, testing::ValuesIn(correct()),
                         [](const auto& given) { return test::test_name(given.param); });

// One key's orders wait for one another when the load is over: nothing is wrong, and not all done.
TEST(HotKey, IsNotDoneInTime) {
    const scenario::Scenario scenario = test::load(test::catalogue_file("hot-key"));
    const scenario::RunResult run = test::run(scenario, 1);
    EXPECT_FALSE(run.quiet);
    EXPECT_EQ(violated(run, "per-key-effect-order"), nullptr);
    EXPECT_GT(run.ledger.unaccounted, 100U);
}

std::size_t count(const scenario::RunResult& run, const sim::EventKind& kind, std::size_t operand,
                  const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(run.history.begin(), run.history.end(), [&](const sim::Event& event) {
            return event.kind == kind.id && run.texts->find(event.operands[operand]) == text;
        }));
}

TEST(CooperativeVsEager, TheCooperativeGroupGivesLessBack) {
    const scenario::Scenario scenario = test::load(test::catalogue_file("cooperative-vs-eager"));
    const scenario::RunResult run = test::run(scenario, 1, true);
    const std::size_t eager = count(run, broker::events::revoked, 1, "billing");
    const std::size_t cooperative = count(run, broker::events::revoked, 1, "shipping");
    EXPECT_GT(cooperative, 0U);
    EXPECT_GT(eager, 2 * cooperative);
}

TEST(StaticMembers, AreRestartedWithoutARebalance) {
    const scenario::Scenario scenario = test::load(test::catalogue_file("static-members"));
    const scenario::RunResult run = test::run(scenario, 1, true);
    EXPECT_EQ(count(run, broker::events::generation_started, 0, "billing"), 1U);
}

TEST(OrderFulfilment, HoldsAndJudgesSomething) {
    const scenario::Scenario scenario = test::load(test::catalogue_file("order-fulfilment"));
    scenario::ExploreOptions options;
    options.last_seed = 15;
    const scenario::Campaign found =
        scenario::explore(scenario, scenario::stock_services(), options, {});
    EXPECT_EQ(found.verdict, VerdictKind::holds);
    EXPECT_EQ(found.runs, 15U);
    EXPECT_EQ(found.broken, "");
    EXPECT_EQ(found.inconclusive, 0U);
    EXPECT_THAT(found.remarks, testing::IsEmpty());
    EXPECT_EQ(found.ledger.unaccounted, 0U);
    EXPECT_GT(found.ledger.parked, 0U);
}

} // namespace
// The copier dies, freezes and loses answers; billing has no inbox of its own.
TEST(TransactionalCopy, HoldsAndJudgesSomething) {
    const scenario::Scenario scenario = test::load(test::catalogue_file("transactional-copy"));
    scenario::ExploreOptions options;
    options.last_seed = 12;
    const scenario::Campaign found =
        scenario::explore(scenario, scenario::stock_services(), options, {});
    EXPECT_EQ(found.verdict, VerdictKind::holds);
    EXPECT_EQ(found.runs, 12U);
    EXPECT_EQ(found.ledger.unaccounted, 0U);
    EXPECT_EQ(found.ledger.effective, 12U * 600U);
}

} // namespace crier
