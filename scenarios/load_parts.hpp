#pragma once

#include "scenarios/load_reader.hpp"

// The parts of a scenario file; each reads one or two top keys into the scenario, in this order:
// later parts refer to names of earlier ones.

namespace crier::scenario {

/// What the parts share while a file is read.
struct Loading {
    const ServiceTable& table;
    Scenario& scenario;
    Problems& problems;
    Things& things;
};

/// Enters all names, so that a part may refer to any of them.
void enter_names(Loading& loading, const Fields& top);

void read_brokers(Loading& loading, const YamlNode& node);
void read_channels(Loading& loading, const YamlNode& node);
void read_databases(Loading& loading, const YamlNode& node);
void read_services(Loading& loading, const YamlNode& node);
void read_load(Loading& loading, const YamlNode& node);
void read_faults(Loading& loading, const YamlNode& node);
void read_fault(Loading& loading, const YamlNode& node); ///< One entry of them.
void read_budget(Loading& loading, const YamlNode& node);
void read_expectations(Loading& loading, const YamlNode& node);

/// When the last input may arrive.
[[nodiscard]] Duration load_end(const Scenario& scenario);

} // namespace crier::scenario
