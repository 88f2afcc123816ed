#include "scenarios/campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::scenario {
namespace {

using properties::Verdict;
using properties::VerdictKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RunResult run_of(std::uint64_t seed, VerdictKind kind, std::uint64_t observations) {
    RunResult run;
    run.scenario = "shop";
    run.seed = seed;
    run.verdict = kind;
    Verdict& verdict = run.properties.emplace_back();
    verdict.property = "ledger";
    verdict.kind = kind;
    verdict.observations = observations;
    verdict.witness = kind == VerdictKind::violated ? "seed " + std::to_string(seed) : "";
    return run;
}

FaultOutcome fault_of(std::string kind, std::uint64_t hits) {
    FaultOutcome fault;
    fault.kind = std::move(kind);
    fault.target = "billing/1";
    fault.hits = hits;
    return fault;
}

VerdictKind verdict_of(const std::vector<RunResult>& runs) {
    Campaign campaign;
    for (const RunResult& run : runs)
        add(campaign, run);
    judge(campaign);
    return campaign.verdict;
}

TEST(Campaign, IsAsBadAsItsWorstRun) {
    const RunResult holds = run_of(1, VerdictKind::holds, 5);
    const RunResult vacuous = run_of(2, VerdictKind::vacuous, 0);
    const RunResult inconclusive = run_of(3, VerdictKind::inconclusive, 5);
    const RunResult violated = run_of(4, VerdictKind::violated, 5);
    EXPECT_EQ(verdict_of({}), VerdictKind::vacuous);
    EXPECT_EQ(verdict_of({vacuous, vacuous}), VerdictKind::vacuous);
    EXPECT_EQ(verdict_of({vacuous, holds}), VerdictKind::holds);
    EXPECT_EQ(verdict_of({holds, inconclusive, vacuous}), VerdictKind::inconclusive);
    EXPECT_EQ(verdict_of({holds, violated, inconclusive}), VerdictKind::violated);
}

TEST(Campaign, NamesTheFirstSeedAndWitnessOfAViolation) {
    Campaign campaign;
    add(campaign, run_of(1, VerdictKind::holds, 5));
    add(campaign, run_of(2, VerdictKind::violated, 5));
    add(campaign, run_of(3, VerdictKind::violated, 5));
    judge(campaign);
    EXPECT_THAT(campaign.violating_seeds, ElementsAre(2U));
    EXPECT_EQ(campaign.properties.front().witness, "seed 2");
    EXPECT_EQ(campaign.properties.front().observations, 15U);
    ASSERT_EQ(campaign.violations.size(), 2U);
    EXPECT_EQ(campaign.violations.back().seed, 3U);
}

TEST(Campaign, IsVacuousWhereAKindOfFaultNeverHit) {
    RunResult run = run_of(1, VerdictKind::holds, 5);
    run.faults = {fault_of("crash", 1), fault_of("crash", 0), fault_of("reset", 0)};
    Campaign campaign;
    add(campaign, run);
    judge(campaign);
    EXPECT_EQ(campaign.verdict, VerdictKind::vacuous);
    EXPECT_THAT(campaign.remarks, ElementsAre(HasSubstr("reset was planned 1 times")));

    run.faults.back().hits = 1;
    add(campaign, run);
    campaign.remarks.clear();
    judge(campaign);
    EXPECT_EQ(campaign.verdict, VerdictKind::holds);
    EXPECT_THAT(campaign.remarks, IsEmpty());
}

} // namespace
} // namespace crier::scenario
