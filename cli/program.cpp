#include "cli/program.hpp"

#include "broker-model/store/sqlite_setup.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "scenarios/load_scenario.hpp"
#include "scenarios/load_units.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sstream>

namespace crier::cli {

namespace {

constexpr const char* about =
    "Runs event-driven systems through simulated storms, and accounts for every message.\n"
    "Exit codes: 0 holds, 1 violated, 2 wrong input, 3 inconclusive, 4 the harness failed, 130 "
    "interrupted.";

void tell_errors() {
    const auto logger = spdlog::stderr_logger_mt("crier");
    logger->set_pattern("crier: %v");
    spdlog::set_default_logger(logger);
}

std::string verbs_of(const CLI::App& app) {
    std::string verbs;
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
        verbs += (verbs.empty() ? "" : ", ") + verb->get_name();
    return verbs;
}

bool is_verb(const CLI::App& app, const std::string& word) {
    return !app.get_subcommands([&word](const CLI::App* verb) { return verb->check_name(word); })
                .empty();
}

} // namespace

scenario::Scenario load(const report::Invocation& from, const scenario::ServiceTable& services) {
    auto loaded = scenario::load_scenario(from.file, services, from.faults);
    if (loaded) return std::move(*loaded);
    std::string text;
    for (const scenario::LoadError& error : loaded.error())
        text += (text.empty() ? "" : "\n") + error.text();
    throw BadInput(text);
}

void add_scenario(CLI::App& verb, report::Invocation& from) {
    verb.add_option("file", from.file, "the scenario")->required();
    verb.add_option(
            "--fault", from.faults,
            "one more fault, as the file would have it: 'crash: {of: relay, at: 3s, for: 1s}'")
        ->allow_extra_args(false);
}

Duration duration_argument(const std::string& option, const std::string& text) {
    const std::optional<Duration> duration = scenario::parse_duration(text);
    if (!duration || *duration < Duration{}) {
        throw BadInput(option + ": '" + text +
                       "' is no duration; write it like 30s, 12.5s, 250ms or 2m");
    }
    return *duration;
}

void add_seed(CLI::App& verb, std::uint64_t& seed) {
    // Read by our own rules: CLI11 takes -1 for the greatest number and 010 for 8.
    const auto read = [&seed](const std::string& text) {
        const std::optional<std::int64_t> number = scenario::parse_count(text);
        if (!number || *number < 1) {
            throw CLI::ValidationError("--seed",
                                       "'" + text + "' is no seed; write a number from 1");
        }
        seed = static_cast<std::uint64_t>(*number);
    };
    verb.add_option_function<std::string>("--seed", read, "the seed")
        ->default_str(std::to_string(seed));
}

void ReportFiles::add_to(CLI::App& verb) {
    verb.add_option("--json", json,
                    "write the report as JSON to this file (- for standard output)");
    verb.add_option("--junit", junit, "write the report as JUnit XML to this file");
}

void ReportFiles::check() const {
    if (!json.empty() && json == junit) {
        throw BadInput("--json and --junit: both to " + (json == "-" ? "standard output" : json));
    }
    for (const std::string* path : {&json, &junit}) {
        if (!path->empty()) check_writable(*path);
    }
}

int run_program(int argc, char** argv, const scenario::ServiceTable& services) {
    tell_errors();
    // A file that may not grow is an error of `write` like a full disk, not a death in the middle.
    std::signal(SIGXFSZ, SIG_IGN);
    CLI::App app(about, "crier");
    app.require_subcommand(1);
    app.set_version_flag("--version", "crier " CRIER_VERSION);
    std::function<ExitCode()> chosen;
    const char* const script = std::getenv("CRIER_PROGRAM"); // ./dev runs us by another name
    const Commands commands{app, services, script != nullptr ? script : argv[0], chosen};
    add_run(commands);
    add_explore(commands);
    add_sweep(commands);
    add_replay(commands);
    add_check_determinism(commands);
    add_list(commands);
    add_schema(commands);
    if (argc > 1 && argv[1][0] != '-' && !is_verb(app, argv[1])) {
        spdlog::error("there is no command `{}` (there are: {})", argv[1], verbs_of(app));
        return exit_bad_input;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream complaint;
        const int code = app.exit(error, out, complaint);
        std::cerr << complaint.str();
        if (code != 0) return exit_bad_input;
        chosen = [text = out.str()] {
            print(text);
            return exit_holds;
        };
    }
    try {
        broker::configure_sqlite();
        return chosen();
    } catch (const BadInput& error) {
        // One line an error, as compilers do, so that editors find the place.
        std::string text = error.what();
        std::size_t begin = 0;
        for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
            end = text.find('\n', begin);
            spdlog::error("{}", text.substr(begin, end == std::string::npos ? end : end - begin));
        }
        return exit_bad_input;
    } catch (const std::exception& error) {
        spdlog::error("the harness failed: {}", error.what());
        return exit_harness_failed;
    }
}

} // namespace crier::cli
