#pragma once

#include "messaging/relay_options.hpp"
#include "scenarios/service.hpp"

#include <string>
#include <vector>

// The options of `is: outbox-relay`, as scenarios write them.

namespace crier::scenario {

[[nodiscard]] std::vector<OptionInfo> relay_option_infos();

/// Returns the relay's options, of a running service or of one that is only described.
[[nodiscard]] messaging::RelayOptions relay_options(const ServiceContext& context);

/// Returns what does not go together, and what no simulated database can do.
[[nodiscard]] std::vector<std::string> relay_option_problems(const ServiceSpec& spec);

} // namespace crier::scenario
