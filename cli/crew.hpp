#pragma once

#include "cli/exit_code.hpp"
#include "reports/result_names.hpp"
#include "scenarios/campaign.hpp"
#include "scenarios/run_crew.hpp"

#include <CLI/App.hpp>

namespace crier::cli {

/// Adds `-j`: how many threads; 0 stands for as many as there are cores. `workers` must outlive the
/// verb.
void add_workers(CLI::App& verb, unsigned& workers);

/// Has the crew end by Ctrl-C, tell what it runs if the program dies, and what hangs.
/// `from` must be there as long as it works.
void set_up_crew(scenario::CrewOptions& crew, unsigned workers, const report::Invocation& from);

/// Returns what the program ends with after these runs.
[[nodiscard]] ExitCode exit_code_of(const scenario::Campaign& runs);

} // namespace crier::cli
