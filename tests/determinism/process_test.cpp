// One seed gives one history, whatever process it runs in and whatever ran there before.
#include "reports/result_names.hpp"
#include "tests/support/child.hpp"
#include "tests/support/scenario_runs.hpp"

#include <array>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <thread>

namespace crier {
namespace {

/// Returns the digest that the program finds in a process of its own.
std::string digest_elsewhere(const std::string& name, std::uint64_t seed) {
    test::Child child({CRIER_PROGRAM, "run", CRIER_SOURCE_DIR "/" + test::catalogue_file(name),
                       "--seed", std::to_string(seed), "--json", "-"});
    const test::Finished done = child.wait();
    EXPECT_TRUE(done.code == 0 || done.code == 1) << done.err;
    const auto json = nlohmann::json::parse(done.out, nullptr, false);
    return json.is_object() ? json.value("digest", "none") : "no JSON: " + done.out;
}

std::string digest_here(const scenario::Scenario& scenario, std::uint64_t seed,
                        std::shared_ptr<broker::Connections> connections = nullptr) {
    return report::digest_text(test::run(scenario, seed, false, std::move(connections)).digest);
}

class EveryScenario : public testing::TestWithParam<std::string> {};

TEST_P(EveryScenario, HasOneDigestInTwoProcesses) {
    const scenario::Scenario scenario = test::load(test::catalogue_file(GetParam()));
    EXPECT_EQ(digest_here(scenario, 1), digest_elsewhere(GetParam(), 1));
}

TEST_P(EveryScenario, HasTheSameDigestWithItsHistoryKept) {
    const scenario::Scenario scenario = test::load(test::catalogue_file(GetParam()));
    const scenario::RunResult kept = test::run(scenario, 1, true);
    EXPECT_EQ(report::digest_text(kept.digest), digest_here(scenario, 1));
    EXPECT_EQ(kept.history.size(), kept.events);
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryScenario, testing::ValuesIn(test::catalogue_names()),
                         [](const auto& given) { return test::test_name(given.param); });

TEST(Worlds, DoNotHearOfOtherWorldsOnOtherThreads) {
    constexpr std::uint64_t others_each = 25;
    const std::vector<std::string> names{"order-fulfilment", "split-dedup", "wrong-key"};
    const scenario::Scenario before = test::load(test::catalogue_file("memory-dedup"));
    std::array<std::vector<std::string>, 2> found;
    const auto work = [&](std::size_t which) {
        const auto connections = std::make_shared<broker::Connections>();
        for (std::uint64_t seed = 1; seed <= others_each; ++seed)
            static_cast<void>(test::run(before, 1000 * (which + 1) + seed, false, connections));
        for (const std::string& name : names)
            found[which].push_back(
                digest_here(test::load(test::catalogue_file(name)), 1, connections));
    };
    std::thread one([&work] { work(0); });
    std::thread two([&work] { work(1); });
    one.join();
    two.join();
    std::vector<std::string> alone;
    for (const std::string& name : names)
        alone.push_back(digest_elsewhere(name, 1));
    EXPECT_EQ(found[0], alone);
    EXPECT_EQ(found[1], alone);
}

} // namespace
} // namespace crier
