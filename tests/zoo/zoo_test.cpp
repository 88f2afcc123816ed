// Bugs of the field, planted: each is found by a stock property within 10,000 seeds or 60 seconds
// of one core, and what is right stays silent over the same seeds. With CRIER_UPDATE=1 the table
// docs/bugs-found.md is written anew.
#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/run.hpp"
#include "tests/zoo/bugs.hpp"
#include "tests/zoo/services.hpp"

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

namespace crier::zoo {

// Found by argument-dependent lookup, so not in the anonymous namespace.
static void PrintTo(const Bug& bug, std::ostream* out) {
    *out << bug.id;
}

namespace {

constexpr std::uint64_t seeds_max = 10'000;
constexpr double seconds_max = 60;
constexpr std::uint64_t seeds_right_min = 10; ///< What is right runs at least so many.

struct Found {
    std::uint64_t seed = 0;
    double seconds = 0;
};

std::map<std::string, Found>& all_found() {
    static std::map<std::string, Found> found;
    return found;
}

const scenario::ServiceTable& services() {
    static const scenario::ServiceTable table = [] {
        scenario::ServiceTable all = scenario::stock_services();
        all.add(pool_consumer()).add(batch_listener()).add(position_keeper());
        all.add(direct_producer()).add(buffer_stage());
        return all;
    }();
    return table;
}

scenario::Scenario scenario_of(const Bug& bug, const std::string& value) {
    std::string text = bug.scenario;
    text.replace(text.find('@'), 1, value);
    auto loaded = scenario::parse_scenario(text, bug.id + ".yaml", services());
    if (loaded) return std::move(*loaded);
    for (const scenario::LoadError& error : loaded.error())
        ADD_FAILURE() << error.text();
    throw std::runtime_error(text);
}

properties::Verdict judge(const Bug& bug, const scenario::Scenario& scenario, std::uint64_t seed) {
    scenario::RunOptions options;
    options.seed = seed;
    const scenario::RunResult result = scenario::run_scenario(scenario, services(), options);
    EXPECT_EQ(result.broken, "") << bug.id << " seed " << seed;
    for (const properties::Verdict& verdict : result.properties) {
        if (verdict.property == bug.property) return verdict;
    }
    ADD_FAILURE() << bug.id << " does not expect " << bug.property;
    return {};
}

class Zoo : public testing::TestWithParam<Bug> {};

TEST_P(Zoo, IsFoundAndItsRemedyIsSilent) {
    broker::configure_sqlite();
    const Bug& bug = GetParam();
    const scenario::Scenario wrong = scenario_of(bug, bug.wrong);
    const scenario::Scenario right = scenario_of(bug, bug.right);
    const std::clock_t begin = std::clock();
    Found found;
    properties::Verdict verdict;
    for (std::uint64_t seed = 1; seed <= seeds_max && found.seed == 0; ++seed) {
        verdict = judge(bug, wrong, seed);
        const double spent = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        if (verdict.kind == properties::VerdictKind::violated) found = {seed, spent};
        if (spent > seconds_max) break;
    }
    ASSERT_NE(found.seed, 0U) << bug.id << ": " << bug.title << " is not found";
    std::cout << bug.id << " seed " << found.seed << ", " << found.seconds
              << " s: " << verdict.witness << "\n";
    for (std::uint64_t seed = 1; seed <= std::max(found.seed, seeds_right_min); ++seed) {
        const properties::Verdict silent = judge(bug, right, seed);
        EXPECT_EQ(silent.kind, properties::VerdictKind::holds)
            << bug.id << " seed " << seed << ": " << silent.witness;
    }
    if (!HasFailure()) all_found()[bug.id] = found;
}

INSTANTIATE_TEST_SUITE_P(Bugs, Zoo, testing::ValuesIn(bugs()),
                         [](const auto& given) { return given.param.id; });

/// Writes the table when all of the zoo has run and passed.
class Table : public testing::Environment {
public:
    void TearDown() override {
        if (std::getenv("CRIER_UPDATE") == nullptr || all_found().size() != bugs().size()) return;
        // Rounded, so that the file changes when something did.
        const auto rounded = [](double seconds) -> std::string {
            if (seconds < 1) return "under 1";
            if (seconds < 5) return "under 5";
            return "under " + std::to_string((static_cast<int>(seconds) / 20 + 1) * 20);
        };
        std::ostringstream text;
        text << "# Bugs found\n\n"
                "Real bugs of the field, planted in `tests/zoo`, each with the stock property that "
                "finds "
                "it, the seeds until the\nfirst find and the seconds of one core that they took. "
                "What is "
                "right holds over the same seeds, and at least ten.\n`./dev zoo` runs it all and "
                "writes "
                "this table.\n\n"
                "| bug | planted as | property | seeds | seconds |\n|---|---|---|---|---|\n";
        for (const Bug& bug : bugs()) {
            const Found& found = all_found().at(bug.id);
            text << "| " << bug.id << " " << bug.title << " | " << bug.planted << " | `"
                 << bug.property << "` | " << found.seed << " | " << rounded(found.seconds)
                 << " |\n";
        }
        std::ofstream(CRIER_SOURCE_DIR "/docs/bugs-found.md") << text.str();
    }
};

[[maybe_unused]] const testing::Environment* const table =
    testing::AddGlobalTestEnvironment(new Table); // owned by the framework

} // namespace
} // namespace crier::zoo
