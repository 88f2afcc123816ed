#include "scenarios/sweep.hpp"

#include "cli/commands.hpp"
#include "cli/crew.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "reports/json.hpp"
#include "reports/junit.hpp"
#include "reports/text.hpp"
#include "scenarios/points.hpp"

namespace crier::cli {

namespace {

struct Options {
    report::Invocation from;
    std::uint64_t seed = 1;
    std::vector<std::string> nodes;
    std::string kind = "crash";
    std::string length = "1s";
    std::string point;
    unsigned workers = 0;
    bool keep_going = false;
    ReportFiles reports;
};

/// Returns the scenario once for each node and point; what is wrong with a fault is told as if it
/// stood in the file.
std::vector<scenario::SweptScenario> swept(const Options& options,
                                           const scenario::ServiceTable& services) {
    const scenario::Scenario base = load(options.from, services);
    std::vector<scenario::SweptScenario> all;
    for (const std::string& address : options.nodes) {
        for (const std::string& node : scenario::members_of(base, address)) {
            std::vector<std::string> points = scenario::points_of(base, services, node);
            if (!options.point.empty() || points.empty())
                points = {options.point.empty() ? "await" : options.point};
            for (const std::string& point : points) {
                scenario::SweptScenario& one = all.emplace_back();
                one.fault = {options.kind, node, point, options.length};
                one.hash = base.hash;
                report::Invocation with = options.from;
                with.faults.push_back(one.fault.text(1));
                one.scenario = load(with, services);
            }
        }
    }
    return all;
}

ExitCode sweep(const Options& options, const scenario::ServiceTable& services) {
    options.reports.check();
    const std::vector<scenario::SweptScenario> points = swept(options, services);
    scenario::SweepOptions how;
    set_up_crew(how, options.workers, options.from);
    how.seed = options.seed;
    how.keep_going = options.keep_going;
    const std::string replay = report::replay_command(options.from);
    install_signal_handlers(replay.c_str());

    Progress progress("points");
    const scenario::Sweep found =
        scenario::sweep(points, services, how,
                        [&progress](const scenario::ExploreProgress& now) { progress.show(now); });
    progress.clear();

    if (!options.reports.json.empty()) write_file(options.reports.json, report::json_of(found));
    if (!options.reports.junit.empty()) {
        report::Invocation first = options.from;
        if (!found.violated_at.empty()) first.faults.push_back(found.violated_at.front());
        write_file(options.reports.junit, report::junit_of(found.runs, first));
    }
    if (options.reports.json != "-")
        print(report::text_of(found, {options.from, is_terminal_out()}));
    return exit_code_of(found.runs);
}

} // namespace

void add_sweep(Commands commands) {
    CLI::App* verb = commands.app.add_subcommand(
        "sweep", "run one seed with a crash at each point that a node reaches");
    auto options = std::make_shared<Options>();
    options->from.program = commands.program;
    add_scenario(*verb, options->from);
    add_seed(*verb, options->seed);
    verb->add_option("--of", options->nodes,
                     "whom: a service, database or broker, or one of its nodes (relay/1)")
        ->required()
        ->allow_extra_args(false);
    verb->add_option("--with", options->kind, "the fault")
        ->check(CLI::IsMember({"crash", "power-loss", "stop", "pause"}))
        ->capture_default_str();
    verb->add_option("--for", options->length, "how long it lasts")->capture_default_str();
    verb->add_option("--point", options->point,
                     "only this point; else each that the node reaches, and `await`: wherever its "
                     "code waits");
    add_workers(*verb, options->workers);
    verb->add_flag("--keep-going", options->keep_going,
                   "collect violations instead of stopping at the first");
    options->reports.add_to(*verb);
    verb->callback([commands, options] {
        commands.chosen = [options, &services = commands.services] {
            return sweep(*options, services);
        };
    });
}

} // namespace crier::cli
