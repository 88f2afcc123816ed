#include "scenarios/file_databases.hpp"

#include <algorithm>

namespace crier::scenario {

bool is_file(const Scenario& scenario, const std::string& database) {
    return std::any_of(
        scenario.databases.begin(), scenario.databases.end(),
        [&](const DatabaseSpec& spec) { return spec.name == database && spec.file.has_value(); });
}

std::vector<std::string> databases_of(const ServiceSpec& service, const ServiceType& type) {
    std::vector<std::string> names;
    for (const OptionInfo& option : type.options) {
        const auto found = service.options.find(option.name);
        if (option.type != OptionType::database || found == service.options.end()) continue;
        names.push_back(std::get<std::string>(found->second));
    }
    return names;
}

const ServiceSpec* user_of(const Scenario& scenario, const ServiceTable& services,
                           const std::string& database) {
    for (const ServiceSpec& service : scenario.services) {
        const std::vector<std::string> names = databases_of(service, *services.find(service.is));
        if (std::find(names.begin(), names.end(), database) != names.end()) return &service;
    }
    return nullptr;
}

bool has_files(const Scenario& scenario, const ServiceSpec& service, const ServiceType& type) {
    const std::vector<std::string> names = databases_of(service, type);
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return is_file(scenario, name); });
}

} // namespace crier::scenario
