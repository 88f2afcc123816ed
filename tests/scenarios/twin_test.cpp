#include "scenarios/twin.hpp"
#include "tests/support/scenario_runs.hpp"

#include <gmock/gmock.h>

namespace crier::scenario {
namespace {

using properties::Verdict;
using properties::VerdictKind;
using ::testing::HasSubstr;

FinalEffects billed(std::map<std::string, std::vector<std::string>> rows) {
    return {"billing", "billing-db.charges", std::move(rows)};
}

Verdict compared(const FinalEffects& run, const FinalEffects& twin) {
    Verdict verdict;
    verdict.kind = VerdictKind::holds;
    compare({run}, {twin}, Instant(std::chrono::seconds(9)), verdict);
    return verdict;
}

TEST(Twin, ComparesWhatBothHave) {
    const FinalEffects once = billed({{"o-1", {"o-1, 42"}}, {"o-2", {"o-2, 42"}}});
    EXPECT_EQ(compared(once, once).kind, VerdictKind::holds);
    const FinalEffects parked = billed({{"o-1", {"o-1, 42"}}, {"o-3", {"o-3, 42"}}});
    EXPECT_EQ(compared(parked, once).kind, VerdictKind::holds);
}

TEST(Twin, FindsOtherValuesAndMoreRows) {
    const FinalEffects once = billed({{"o-1", {"o-1, 42"}}, {"o-2", {"o-2, 42"}}});
    const FinalEffects twice = billed({{"o-1", {"o-1, 42", "o-1, 42"}}, {"o-2", {"o-2, 84"}}});
    const Verdict verdict = compared(twice, once);
    EXPECT_EQ(verdict.kind, VerdictKind::violated);
    EXPECT_EQ(verdict.violations, 2u);
    EXPECT_EQ(
        verdict.witness,
        "At the end billing-db.charges has (o-1, 42) and (o-1, 42); without any fault, and so "
        "without copies, it has (o-1, 42).");
    EXPECT_EQ(verdict.violated_at, Instant(std::chrono::seconds(9)));
}

TEST(Twin, RunsTheSameInputsWithoutFaults) {
    const Scenario scenario = test::load(test::catalogue_file("charged-twice"));
    const PlanEdits edits = without_faults(scenario, 3, {{7}, {}});
    const Plan twin = make_plan(scenario, 3, edits);
    EXPECT_TRUE(twin.faults.empty());
    EXPECT_EQ(twin.inputs.size(), 199u);
    EXPECT_FALSE(make_plan(scenario, 3).faults.empty());
}

TEST(Twin, LeavesTheRunItselfAsItIs) {
    Scenario scenario = test::load(test::catalogue_file("charged-twice"));
    const RunResult found = test::run(scenario, 1);
    const RunResult again = test::run(scenario, 1);
    EXPECT_EQ(found.verdict, VerdictKind::violated);
    EXPECT_EQ(found.properties.back().witness, again.properties.back().witness);
    EXPECT_EQ(found.digest, again.digest);
    scenario.expectations.pop_back();
    const RunResult without = test::run(scenario, 1);
    EXPECT_EQ(without.verdict, VerdictKind::holds);
    EXPECT_EQ(without.digest, found.digest);
}

TEST(Twin, IsNotRunWhereNothingCameTwice) {
    Scenario scenario = test::load(test::catalogue_file("charged-twice"));
    scenario.faults.clear();
    const RunResult found = test::run(scenario, 1);
    EXPECT_EQ(found.properties.back().kind, VerdictKind::vacuous);
}

} // namespace
} // namespace crier::scenario
