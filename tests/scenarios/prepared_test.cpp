// Scenarios that wait beside the catalogue: some need what simulated databases do not have yet, and
// nothing else may be wrong with them; others show what they are for, but their story is too short
// still.
#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/run.hpp"
#include "scenarios/service.hpp"

#include <filesystem>
#include <gtest/gtest.h>

namespace crier::scenario {
namespace {

TEST(PreparedScenarios, LackADatabaseServerAtMost) {
    int files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(CRIER_SOURCE_DIR "/scenarios/prepared")) {
        ++files;
        const auto loaded = load_scenario(entry.path().string(), stock_services());
        if (loaded) continue;
        for (const LoadError& error : loaded.error()) {
            EXPECT_NE(error.text().find("a database server"), std::string::npos) << error.text();
        }
    }
    EXPECT_EQ(files, 6);
}

// A lower position commits after a higher one: who has passed it loses it, also after a while.
TEST(PreparedScenarios, ACursorThatPassesGapsLosesOrders) {
    broker::configure_sqlite();
    for (const char* const name : {"cursor-ignores-gaps", "cursor-waits-a-second"}) {
        const auto loaded =
            load_scenario(std::string(CRIER_SOURCE_DIR "/scenarios/prepared/") + name + ".yaml",
                          stock_services());
        ASSERT_TRUE(loaded) << name;
        const RunResult run = run_scenario(*loaded, stock_services(), {});
        EXPECT_EQ(run.broken, "") << name;
        EXPECT_EQ(run.verdict, properties::VerdictKind::violated) << name;
        EXPECT_EQ(run.properties[1].property, "outbox-no-missing") << name;
        EXPECT_EQ(run.properties[1].kind, properties::VerdictKind::violated) << name;
    }
}

} // namespace
} // namespace crier::scenario
