#include "tests/support/sweeps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crier::scenario {
namespace {

using test::count_of;
using test::parsed;
using test::small_outbox;
using test::swept;

TEST(Sweep, FindsTheOneCrashThatAMistakeDoesNotSurvive) {
    const std::string text = small_outbox("mark: sent");
    const Sweep found = swept(text, {"relay"}, "crash", false);
    ASSERT_EQ(found.runs.verdict, properties::VerdictKind::violated);
    ASSERT_EQ(found.violated_at.size(), 1u);
    ASSERT_TRUE(found.runs.first);
    RunOptions options;
    options.seed = found.seed;
    const RunResult again =
        run_scenario(parsed(text, found.violated_at), stock_services(), options);
    EXPECT_EQ(again.digest, found.runs.first->digest);
    EXPECT_EQ(again.scenario_hash, found.runs.first->scenario_hash);
}

TEST(Sweep, IsTheSameForAnyNumberOfWorkers) {
    const Scenario base = parsed(small_outbox("mark: sent"));
    std::vector<SweptScenario> points(1);
    points[0].fault = {"crash", "relay/1", "await", "1s"};
    points[0].hash = base.hash;
    points[0].scenario = parsed(small_outbox("mark: sent"), {points[0].fault.text(1)});
    std::vector<Sweep> found;
    for (const unsigned workers : {1U, 3U}) {
        SweepOptions options;
        options.workers = workers;
        options.keep_going = true;
        found.push_back(sweep(points, stock_services(), options, nullptr));
    }
    EXPECT_EQ(found[0].violated_at, found[1].violated_at);
    EXPECT_EQ(found[0].points[0].count, found[1].points[0].count);
    EXPECT_EQ(found[0].runs.events, found[1].runs.events);
}

// The node dies there again and again as long as there is such a point: no point is left out.
TEST(Sweep, EndsWhereThePointIsNotReachedAnyMore) {
    const std::string text = small_outbox("relay-by: claim");
    const Sweep found = swept(text, {"relay/1"}, "crash");
    const std::uint64_t last = count_of(found, "relay/1", "await");
    const auto began = [&](std::uint64_t nth) {
        const SweptFault fault{"crash", "relay/1", "await", "1s"};
        const Scenario scenario = parsed(text, {fault.text(nth)});
        return run_scenario(scenario, stock_services(), {}).faults.back().began;
    };
    EXPECT_TRUE(began(last));
    EXPECT_FALSE(began(last + 1));
}

TEST(MoreFaults, AreReadAsIfTheyStoodInTheFile) {
    broker::configure_sqlite();
    const std::string text = small_outbox("relay-by: claim");
    EXPECT_EQ(parsed(text, {"pause: {of: relay/2, at: 1s, for: 2s}"}).faults.size(), 1u);
    const auto bad = parse_scenario(text, "small.yaml", stock_services(),
                                    {"crash: {of: rely, at: 1s, for: 1s}", "crash: ["});
    ASSERT_FALSE(bad);
    std::vector<std::string> errors;
    for (const LoadError& error : bad.error())
        errors.push_back(error.text());
    EXPECT_THAT(errors, testing::ElementsAre(
                            testing::HasSubstr("--fault 'crash: {of: rely, at: 1s, for: 1s}':1:13: "
                                               "nothing here is called `rely`"),
                            testing::HasSubstr("--fault 'crash: ['")));
}

} // namespace
} // namespace crier::scenario
