#pragma once

#include "scenarios/scenario.hpp"
#include "scenarios/service.hpp"

#include <cstdint>
#include <string>
#include <vector>

// Where a node may be struck down: the points that it reaches.

namespace crier::scenario {

/// Returns the points of the nodes of a service, database or broker (`billing`, also `billing/2`);
/// none if there is nothing of that name.
[[nodiscard]] std::vector<std::string>
points_of(const Scenario& scenario, const ServiceTable& services, const std::string& address);

/// Returns how many numbered nodes a service, broker or database has; 0: none, or there is nothing
/// of that name.
[[nodiscard]] std::int64_t member_count(const Scenario& scenario, const std::string& name);

/// Returns the nodes that an address means, as addresses of single ones: `billing` is `billing/1`
/// and `billing/2`, and what has no members is itself.
[[nodiscard]] std::vector<std::string> members_of(const Scenario& scenario,
                                                  const std::string& address);

/// The points of a database server: its I/O.
[[nodiscard]] std::vector<std::string> disk_points();

/// The points of a process with a file: its I/O.
[[nodiscard]] std::vector<std::string> file_points();

} // namespace crier::scenario
