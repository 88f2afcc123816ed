#pragma once

#include "cli/exit_code.hpp"
#include "messaging/ports/clock.hpp"
#include "reports/result_names.hpp"
#include "scenarios/scenario.hpp"
#include "scenarios/service.hpp"

#include <CLI/App.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace crier::cli {

/// What every verb gets: the services, and where to put what it will do.
struct Commands {
    CLI::App& app;
    const scenario::ServiceTable& services;
    std::string program;               ///< What the user calls us by.
    std::function<ExitCode()>& chosen; ///< Set by the verb that was typed.
};

// One function a verb, each in a file of its own: adds the verb with its options.
void add_run(Commands commands);
void add_explore(Commands commands);
void add_replay(Commands commands);
void add_sweep(Commands commands);
void add_check_determinism(Commands commands);
void add_list(Commands commands);
void add_schema(Commands commands);

/// Loads the scenario that was typed, or prints all that is wrong with it. **Errors**: throws
/// `BadInput`.
[[nodiscard]] scenario::Scenario load(const report::Invocation& from,
                                      const scenario::ServiceTable& services);

/// Adds what says which scenario: the file, and `--fault`. `from` must outlive the verb.
void add_scenario(CLI::App& verb, report::Invocation& from);

/// Reads `12.5s`. **Errors**: throws `BadInput` naming `option`.
[[nodiscard]] Duration duration_argument(const std::string& option, const std::string& text);

/// Adds `--seed`: a whole number from 1, as in `explore`. `seed` must outlive the verb.
void add_seed(CLI::App& verb, std::uint64_t& seed);

/// Where `--json FILE` and `--junit FILE` go; empty: nowhere.
struct ReportFiles {
    std::string json;
    std::string junit;

    void add_to(CLI::App& verb);
    void check() const;
};

} // namespace crier::cli
