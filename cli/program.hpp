#pragma once

#include "scenarios/service.hpp"

namespace crier::cli {

/// The whole program `crier`, with these services: parses the command line, does it, reports.
/// **Returns** the exit code: 0 holds, 1 violated, 2 the input is wrong, 3 inconclusive or nothing
/// judged, 4 the harness failed, 130 interrupted with nothing found.
///
///     int main(int argc, char** argv) {
///         crier::scenario::ServiceTable services = crier::scenario::stock_services();
///         services.add(my_service());
///         return crier::cli::run_program(argc, argv, services);
///     }
[[nodiscard]] int run_program(int argc, char** argv, const scenario::ServiceTable& services);

} // namespace crier::cli
