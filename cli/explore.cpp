#include "scenarios/explore.hpp"

#include "cli/commands.hpp"
#include "cli/crew.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "reports/json.hpp"
#include "reports/junit.hpp"
#include "reports/result_names.hpp"
#include "reports/text.hpp"
#include "scenarios/load_units.hpp"

namespace crier::cli {

namespace {

struct Options {
    report::Invocation from;
    std::string seeds;
    std::string time;
    unsigned workers = 0;
    bool keep_going = false;
    ReportFiles reports;
};

void read_seeds(const std::string& text, scenario::ExploreOptions& options) {
    const scenario::Ends ends = scenario::split_range(text);
    const auto first = scenario::parse_count(ends.low);
    const auto last = scenario::parse_count(ends.high);
    if (!first || !last || *first < 1 || *last < *first) {
        throw BadInput("--seeds: '" + text + "' is no range of seeds; write it like 1..1000");
    }
    options.first_seed = static_cast<std::uint64_t>(*first);
    options.last_seed = static_cast<std::uint64_t>(*last);
}

ExitCode explore(const Options& options, const scenario::ServiceTable& services) {
    options.reports.check();
    scenario::ExploreOptions how;
    if (!options.seeds.empty()) read_seeds(options.seeds, how);
    if (!options.time.empty()) {
        how.time_limit = duration_argument("--for", options.time);
        if (*how.time_limit == Duration{})
            throw BadInput("--for: '" + options.time + "' is no time at all");
    }
    if (!options.time.empty() && !options.seeds.empty()) {
        throw BadInput("--seeds and --for exclude each other");
    }
    how.keep_going = options.keep_going;
    set_up_crew(how, options.workers, options.from);
    const scenario::Scenario scenario = load(options.from, services);
    const std::string replay = report::replay_command(options.from);
    install_signal_handlers(replay.c_str());

    Progress progress("seeds", how.time_limit);
    const scenario::Campaign campaign = scenario::explore(
        scenario, services, how,
        [&progress](const scenario::ExploreProgress& now) { progress.show(now); });
    progress.clear();

    if (!options.reports.json.empty()) write_file(options.reports.json, report::json_of(campaign));
    if (!options.reports.junit.empty()) {
        write_file(options.reports.junit, report::junit_of(campaign, options.from));
    }
    if (options.reports.json != "-")
        print(report::text_of(campaign, {options.from, is_terminal_out()}));
    return exit_code_of(campaign);
}

} // namespace

void add_explore(Commands commands) {
    CLI::App* verb =
        commands.app.add_subcommand("explore", "run many seeds and look for a violation");
    auto options = std::make_shared<Options>();
    options->from.program = commands.program;
    add_scenario(*verb, options->from);
    verb->add_option("--seeds", options->seeds, "the seeds, e.g. 1..1000 (the default)");
    verb->add_option("--for", options->time, "as many seeds as this much time allows, e.g. 30s");
    add_workers(*verb, options->workers);
    verb->add_flag("--keep-going", options->keep_going,
                   "collect violations instead of stopping at the first");
    options->reports.add_to(*verb);
    verb->callback([commands, options] {
        commands.chosen = [options, &services = commands.services] {
            return explore(*options, services);
        };
    });
}

} // namespace crier::cli
