#include "cli/commands.hpp"
#include "cli/signals.hpp"
#include "cli/single_run.hpp"

namespace crier::cli {

namespace {

struct Options {
    std::string file;
    std::uint64_t seed = 1;
    ReportFiles reports;
};

ExitCode run(const Options& options, const scenario::ServiceTable& services) {
    options.reports.check();
    const scenario::Scenario scenario = load(options.file, services);
    install_signal_handlers(options.file.c_str());
    scenario::RunOptions how;
    how.seed = options.seed;
    TimedRun done = timed_run(scenario, services, how, options.file);
    if (done.result.verdict == properties::VerdictKind::violated) {
        const std::chrono::nanoseconds wall = done.wall; // of an ordinary run, without the story
        how.keep_history = true;
        done = timed_run(scenario, services, how, options.file);
        done.wall = wall;
    }
    return report_run(done, options.file, options.reports);
}

} // namespace

void add_run(Commands commands) {
    CLI::App* verb = commands.app.add_subcommand("run", "run one seed of a scenario and judge it");
    auto options = std::make_shared<Options>();
    verb->add_option("file", options->file, "the scenario")->required();
    add_seed(*verb, options->seed);
    options->reports.add_to(*verb);
    verb->callback([commands, options] {
        commands.chosen = [options, &services = commands.services] {
            return run(*options, services);
        };
    });
}

} // namespace crier::cli
