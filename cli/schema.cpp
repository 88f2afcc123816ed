#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "scenarios/load_scenario.hpp"

namespace crier::cli {

void add_schema(Commands commands) {
    CLI::App* verb =
        commands.app.add_subcommand("schema", "print the JSON Schema of scenario files");
    verb->callback([commands] {
        commands.chosen = [&services = commands.services] {
            print(scenario::scenario_schema(services));
            return exit_holds;
        };
    });
}

} // namespace crier::cli
