#pragma once

#include "messaging/ports/result.hpp"
#include "scenarios/scenario.hpp"
#include "scenarios/service.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace crier::scenario {

/// What is wrong with a scenario file, and where.
struct LoadError {
    std::string file;
    Place place;         ///< Line 0: the file as a whole.
    std::string message; ///< With the nearest valid name where one is near.

    /// Returns `file:line:column: message`.
    [[nodiscard]] std::string text() const;
};

/// All problems found, by place; never empty.
using LoadErrors = std::vector<LoadError>;

/// Reads and checks a scenario file; `more_faults` are entries that it does not have, as one would
/// write them there: they come behind its own. **Errors**: all problems, not only the first.
[[nodiscard]] Result<Scenario, LoadErrors>
load_scenario(const std::string& file, const ServiceTable& services,
              const std::vector<std::string>& more_faults = {});

/// As `load_scenario`, from text; `file` is only for messages and the scenario's name.
[[nodiscard]] Result<Scenario, LoadErrors>
parse_scenario(std::string_view text, const std::string& file, const ServiceTable& services,
               const std::vector<std::string>& more_faults = {});

/// Returns the JSON Schema (draft 2020-12) of scenario files with these services, as JSON text.
[[nodiscard]] std::string scenario_schema(const ServiceTable& services);

} // namespace crier::scenario
