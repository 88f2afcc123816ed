#pragma once

#include "scenarios/scenario.hpp"
#include "scenarios/service.hpp"

#include <string>
#include <vector>

// Databases that are files: one on the disk of each process of the one service that uses it.

namespace crier::scenario {

/// Whether the scenario has a database of that name, and it is a file.
[[nodiscard]] bool is_file(const Scenario& scenario, const std::string& database);

/// Returns the databases that options of a service name.
[[nodiscard]] std::vector<std::string> databases_of(const ServiceSpec& service,
                                                    const ServiceType& type);

/// Returns the service that uses that database, or null.
[[nodiscard]] const ServiceSpec* user_of(const Scenario& scenario, const ServiceTable& services,
                                         const std::string& database);

/// Whether each process of the service has a file.
[[nodiscard]] bool has_files(const Scenario& scenario, const ServiceSpec& service,
                             const ServiceType& type);

} // namespace crier::scenario
