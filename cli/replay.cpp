#include "cli/commands.hpp"
#include "cli/database_files.hpp"
#include "cli/history_file.hpp"
#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "cli/single_run.hpp"
#include "reports/result_names.hpp"
#include "reports/text.hpp"

namespace crier::cli {

namespace {

struct Options {
    report::Invocation from;
    std::uint64_t seed = 1;
    bool trace = false;
    std::string until;
    std::string history;
    ReportFiles reports;
    DatabaseFiles databases;
};

ExitCode replay(const Options& options, const scenario::ServiceTable& services) {
    options.reports.check();
    options.databases.check();
    scenario::RunOptions how;
    how.seed = options.seed;
    how.keep_databases = !options.databases.folder.empty();
    how.keep_history = true;
    if (!options.until.empty()) how.until = Instant(duration_argument("--until", options.until));
    const scenario::Scenario scenario = load(options.from, services);
    const std::string replay = report::replay_command(options.from);
    install_signal_handlers(replay.c_str());
    const TimedRun done = timed_run(scenario, services, how, options.from);
    if (!options.history.empty()) write_file(options.history, history_bytes(done.result));
    if (options.trace) print(report::trace_of(done.result));
    options.databases.write(done.result);
    return report_run(done, options.from, options.reports);
}

} // namespace

void add_replay(Commands commands) {
    CLI::App* verb = commands.app.add_subcommand("replay", "run a seed again, to look at it");
    auto options = std::make_shared<Options>();
    options->from.program = commands.program;
    add_scenario(*verb, options->from);
    add_seed(*verb, options->seed);
    verb->add_flag("--trace", options->trace, "print every event as a line");
    verb->add_option("--until", options->until, "stop at this virtual time, e.g. 12.5s");
    verb->add_option("--history", options->history,
                     "write the events to this file, for check-determinism");
    options->reports.add_to(*verb);
    options->databases.add_to(*verb);
    verb->callback([commands, options] {
        commands.chosen = [options, &services = commands.services] {
            return replay(*options, services);
        };
    });
}

} // namespace crier::cli
