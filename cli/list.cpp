#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "properties/property.hpp"
#include "reports/table.hpp"
#include "scenarios/fault_format.hpp"
#include "scenarios/load_units.hpp"
#include "scenarios/points.hpp"

namespace crier::cli {

namespace {

std::string fallback_text(const scenario::OptionInfo& option) {
    if (!option.fallback) return option.optional ? "optional" : "required";
    struct Text {
        std::string operator()(bool value) const { return value ? "on" : "off"; }
        std::string operator()(std::int64_t value) const { return std::to_string(value); }
        std::string operator()(Duration value) const { return scenario::duration_text(value); }
        std::string operator()(sim::Probability value) const { return scenario::share_text(value); }
        std::string operator()(const std::string& value) const { return value; }
    };
    return std::visit(Text{}, *option.fallback);
}

// ` (or a, b)`: what may stand there instead of the default.
std::string other_choices(const scenario::OptionInfo& option) {
    const std::string fallback = fallback_text(option);
    std::string others;
    for (const std::string& choice : option.choices) {
        if (choice != fallback) others += (others.empty() ? "" : ", ") + choice;
    }
    return others.empty() ? "" : " (or " + others + ")";
}

std::string properties_text() {
    report::Table table;
    for (const properties::PropertyInfo& property : properties::catalogue()) {
        table.row({"  " + std::string(property.name), std::string(property.summary)});
    }
    table.row({"  sql", "a query over a service's database, expected empty or equal to a value"});
    return "properties (violated when …):\n" + table.text();
}

std::string faults_text() {
    report::Table table;
    for (const scenario::FaultFormat& fault : scenario::fault_formats())
        table.row({"  " + std::string(fault.name), std::string(fault.help)});
    std::string text = "faults:\n" + table.text() + "calls that faults can wait for:\n ";
    for (const std::string& call : scenario::call_names())
        text += " " + call;
    text += "\npoints of databases:\n ";
    for (const std::string& point : scenario::disk_points())
        text += " " + point;
    text += "\npoints of services with a database in a file:\n ";
    for (const std::string& point : scenario::file_points())
        text += " " + point;
    text += "\npoint of everything, wherever its code waits:\n  ";
    return text + std::string(sim::await_point) + "\n";
}

std::string services_text(const scenario::ServiceTable& services) {
    std::string text = "services (each also has replicas, effects and accepts):\n";
    for (const scenario::ServiceType& type : services.rows()) {
        text += "  " + type.is + ": " + type.summary + "\n";
        report::Table table;
        for (const scenario::OptionInfo& option : type.options) {
            table.row(
                {"    " + option.name, fallback_text(option) + other_choices(option), option.help});
        }
        text += table.text();
        for (const std::string_view point : type.points)
            text += "    point " + std::string(point) + "\n";
    }
    return text;
}

} // namespace

void add_list(Commands commands) {
    CLI::App* verb = commands.app.add_subcommand("list", "list properties, faults or services");
    auto what = std::make_shared<std::string>();
    verb->add_option("what", *what, "properties, faults or services; all when absent")
        ->check(CLI::IsMember({"properties", "faults", "services"}));
    verb->callback([commands, what] {
        commands.chosen = [what, &services = commands.services] {
            std::string text;
            if (what->empty() || *what == "properties") text += properties_text();
            if (what->empty() || *what == "faults") text += faults_text();
            if (what->empty() || *what == "services") text += services_text(services);
            print(text);
            return exit_holds;
        };
    });
}

} // namespace crier::cli
