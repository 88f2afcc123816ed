#include "scenarios/load_parts.hpp"

#include "sim/hash.hpp"

#include <algorithm>
#include <array>

namespace crier::scenario {

namespace {

/// Returns how many inputs a load has on average.
sim::UnsignedWide expected_inputs(const LoadSpec& spec) {
    constexpr auto minute = static_cast<std::uint64_t>(Duration(std::chrono::minutes(1)).count());
    const auto length = static_cast<std::uint64_t>(spec.length.count());
    return static_cast<sim::UnsignedWide>(spec.per_minute) * length / minute;
}

void read_to(const Loading& loading, const Fields& fields, LoadSpec& spec) {
    const YamlNode* const to = fields.reference("to");
    if (to == nullptr || !loading.things.check(ThingKind::service, *to)) return;
    spec.to = to->text;
    const ServiceSpec* const service = find_named(loading.scenario.services, spec.to);
    if (service == nullptr || loading.table.find(service->is)->takes_inputs) return;
    loading.problems.add(to->place, "service `" + spec.to + "` is a " + service->is +
                                        ", which takes no inputs");
}

LoadSpec read_entry(const Loading& loading, const YamlNode& node) {
    const Fields fields(node, load_keys(), "a load", loading.problems);
    LoadSpec spec;
    if (node.kind != YamlNode::Kind::map) return spec;
    read_to(loading, fields, spec);
    fields.read_rate("rate", spec.per_minute);
    fields.read_duration("for", spec.length);
    fields.read_duration("start", spec.start);
    if (const auto choice = fields.choice("arrival")) {
        constexpr std::array arrivals{Arrival::constant, Arrival::poisson, Arrival::bursts};
        spec.arrival = arrivals[*choice];
    }
    fields.read_count("burst", spec.burst);
    fields.read_count("keys", spec.keys);
    fields.read_percent("skew", spec.skew);
    fields.read_share("poison", spec.poison);
    fields.read_count("clients", spec.clients);
    const YamlNode* const burst = fields.find("burst");
    if (burst != nullptr && spec.arrival != Arrival::bursts) {
        loading.problems.add(burst->place, "`burst` means something only with `arrival: bursts`");
    }
    if (burst == nullptr && spec.arrival == Arrival::bursts) {
        loading.problems.add(node.place, "`arrival: bursts` needs `burst`: inputs of one burst");
    }
    const YamlNode* const length = fields.find("for");
    if (length != nullptr && spec.length > Duration{} && spec.per_minute > 0 &&
        expected_inputs(spec) == 0) {
        loading.problems.add(length->place, "at this rate no input arrives in this time");
    }
    return spec;
}

} // namespace

void read_load(Loading& loading, const YamlNode& node) {
    sim::UnsignedWide inputs = 0;
    for (const YamlNode* const item : read_list(node, "load", loading.problems)) {
        LoadSpec spec = read_entry(loading, *item);
        const sim::UnsignedWide more = expected_inputs(spec);
        if (inputs <= inputs_max && inputs + more > inputs_max) {
            loading.problems.add(item->place, "too many inputs for one run: more than " +
                                                  std::to_string(inputs_max) + " with this load");
        }
        inputs += more;
        loading.scenario.load.push_back(std::move(spec));
    }
}

Duration load_end(const Scenario& scenario) {
    Duration end{};
    for (const LoadSpec& load : scenario.load)
        end = std::max(end, load.start + load.length);
    return end;
}

} // namespace crier::scenario
