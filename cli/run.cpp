#include "cli/commands.hpp"
#include "cli/database_files.hpp"
#include "cli/signals.hpp"
#include "cli/single_run.hpp"
#include "reports/result_names.hpp"

namespace crier::cli {

namespace {

struct Options {
    report::Invocation from;
    std::uint64_t seed = 1;
    ReportFiles reports;
    DatabaseFiles databases;
};

ExitCode run(const Options& options, const scenario::ServiceTable& services) {
    options.reports.check();
    options.databases.check();
    const scenario::Scenario scenario = load(options.from, services);
    const std::string replay = report::replay_command(options.from);
    install_signal_handlers(replay.c_str());
    scenario::RunOptions how;
    how.seed = options.seed;
    how.keep_databases = !options.databases.folder.empty();
    TimedRun done = timed_run(scenario, services, how, options.from);
    if (done.result.verdict == properties::VerdictKind::violated) {
        const std::chrono::nanoseconds wall = done.wall; // of an ordinary run, without the story
        how.keep_history = true;
        done = timed_run(scenario, services, how, options.from);
        done.wall = wall;
    }
    options.databases.write(done.result);
    return report_run(done, options.from, options.reports);
}

} // namespace

void add_run(Commands commands) {
    CLI::App* verb = commands.app.add_subcommand("run", "run one seed of a scenario and judge it");
    auto options = std::make_shared<Options>();
    options->from.program = commands.program;
    add_scenario(*verb, options->from);
    add_seed(*verb, options->seed);
    options->reports.add_to(*verb);
    options->databases.add_to(*verb);
    verb->callback([commands, options] {
        commands.chosen = [options, &services = commands.services] {
            return run(*options, services);
        };
    });
}

} // namespace crier::cli
