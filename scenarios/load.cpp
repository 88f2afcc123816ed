#include "scenarios/load_parts.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

namespace crier::scenario {

namespace {

/// Reads the file's bytes. **Returns** why there are none; empty: it read them.
std::string read_file(const std::string& file, std::string& text) {
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) return "is a directory, not a scenario file";
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return "cannot be read: " + std::generic_category().message(errno);
    text.resize(file_bytes_max + 1);
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad()) return "cannot be read: " + std::generic_category().message(errno);
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return {};
}

void read_top(Loading& loading, const YamlNode& root) {
    const Fields top(root, top_keys(), "a scenario", loading.problems);
    if (root.kind != YamlNode::Kind::map) return;
    Scenario& scenario = loading.scenario;
    top.read_text("about", scenario.description);
    while (scenario.description.ends_with('\n'))
        scenario.description.pop_back();
    top.read_duration("settle", scenario.settle);
    top.read_duration("drain", scenario.drain);
    if (const auto choice = top.choice("schedule")) {
        constexpr std::array kinds{sim::StrategyKind::in_order, sim::StrategyKind::random,
                                   sim::StrategyKind::priorities};
        scenario.strategy = kinds[*choice];
    }
    enter_names(loading, top);
    using Read = void (*)(Loading&, const YamlNode&);
    constexpr std::array<std::pair<std::string_view, Read>, 8> parts{{
        {"brokers", read_brokers},
        {"channels", read_channels},
        {"databases", read_databases},
        {"services", read_services},
        {"load", read_load},
        {"budget", read_budget},
        {"faults", read_faults},
        {"expect", read_expectations},
    }};
    for (const auto& [key, read] : parts) {
        if (const YamlNode* const node = top.find(key)) read(loading, *node);
    }
    const bool takes_inputs = std::any_of(scenario.services.begin(), scenario.services.end(),
                                          [&loading](const ServiceSpec& service) {
                                              return loading.table.find(service.is)->takes_inputs;
                                          });
    if (takes_inputs && !top.has("load")) {
        loading.problems.add(root.place, "a scenario needs `load`: nothing would happen without");
    }
}

/// Reads what is not in the file, whose names are known to be right.
void read_more_faults(const ServiceTable& services, Scenario& scenario, const YamlNode& root,
                      const std::vector<std::string>& faults, LoadErrors& errors) {
    for (const std::string& text : faults) {
        Problems problems("--fault '" + text + "'");
        Things things(problems);
        Loading loading{services, scenario, problems, things};
        enter_names(loading, Fields(root, top_keys(), "a scenario", problems));
        if (const auto node = parse_yaml(text, problems.file(), problems.errors()))
            read_fault(loading, *node);
        for (LoadError& error : problems.take())
            errors.push_back(std::move(error));
        scenario.hash = sim::mix(scenario.hash, sim::hash_text(text));
    }
}

} // namespace

std::string LoadError::text() const {
    if (place.line == 0) return file + ": " + message;
    return file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": " +
           message;
}

Result<Scenario, LoadErrors> parse_scenario(std::string_view text, const std::string& file,
                                            const ServiceTable& services,
                                            const std::vector<std::string>& more_faults) {
    Problems problems(file);
    Scenario scenario;
    scenario.name = std::filesystem::path(file).stem().string();
    scenario.file = file;
    scenario.hash = sim::hash_text(text);
    if (text.size() > file_bytes_max) {
        problems.add({}, "is too large for a scenario: more than " +
                             std::to_string(file_bytes_max) + " bytes");
    } else if (const auto bad = find_bad_text(text)) {
        problems.add(*bad, "this is not text in UTF-8");
    } else if (const auto root = parse_yaml(text, file, problems.errors())) {
        if (root->kind == YamlNode::Kind::null) {
            problems.add({}, "is empty; a scenario needs at least `services` and `expect`");
        } else {
            Things things(problems);
            Loading loading{services, scenario, problems, things};
            try {
                read_top(loading, *root);
                if (!problems.has_any())
                    read_more_faults(services, scenario, *root, more_faults, problems.errors());
            } catch (const TooManyProblems&) {
                // Those that were found are told; a file like this is no scenario.
            }
        }
    }
    LoadErrors errors = problems.take();
    if (!errors.empty()) return errors;
    return scenario;
}

Result<Scenario, LoadErrors> load_scenario(const std::string& file, const ServiceTable& services,
                                           const std::vector<std::string>& more_faults) {
    std::string text;
    if (std::string why = read_file(file, text); !why.empty()) {
        LoadErrors errors{{file, {}, std::move(why)}};
        return errors;
    }
    return parse_scenario(text, file, services, more_faults);
}

} // namespace crier::scenario
