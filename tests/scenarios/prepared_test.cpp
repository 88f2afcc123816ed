// Scenarios for databases whose transactions overlap wait beside the catalogue. Nothing but that
// they need such a database may be wrong with them.
#include "scenarios/load_scenario.hpp"
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
        if (loaded) continue; // it loads, but without overlapping transactions it shows nothing
        for (const LoadError& error : loaded.error()) {
            EXPECT_NE(error.text().find("a database server"), std::string::npos) << error.text();
        }
    }
    EXPECT_EQ(files, 7);
}

} // namespace
} // namespace crier::scenario
