#pragma once

#include "broker-model/store/connections.hpp"
#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/run.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

// Scenario files run in the process of the test.

namespace crier::test {

/// Loads a scenario by its path in the repository.
[[nodiscard]] inline scenario::Scenario load(const std::string& path) {
    broker::configure_sqlite();
    auto loaded = scenario::load_scenario(CRIER_SOURCE_DIR "/" + path, scenario::stock_services());
    if (!loaded) throw std::runtime_error(loaded.error().front().text());
    return std::move(*loaded);
}

[[nodiscard]] inline scenario::RunResult
run(const scenario::Scenario& scenario, std::uint64_t seed, bool keep_history = false,
    std::shared_ptr<broker::Connections> connections = nullptr) {
    scenario::RunOptions options;
    options.connections = std::move(connections);
    options.seed = seed;
    options.keep_history = keep_history;
    return scenario::run_scenario(scenario, scenario::stock_services(), options);
}

/// Returns the names of the catalogue's scenarios, sorted.
[[nodiscard]] inline std::vector<std::string> catalogue_names() {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(CRIER_SOURCE_DIR "/scenarios/catalogue")) {
        if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

[[nodiscard]] inline std::string catalogue_file(const std::string& name) {
    return "scenarios/catalogue/" + name + ".yaml";
}

/// Names a parameterised test after its scenario.
[[nodiscard]] inline std::string test_name(std::string scenario) {
    std::replace(scenario.begin(), scenario.end(), '-', '_');
    return scenario;
}

} // namespace crier::test
