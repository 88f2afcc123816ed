#pragma once

#include "scenarios/plan.hpp"
#include "scenarios/service_program.hpp"

#include <vector>

namespace crier::scenario {

/// The program of a load node: sends its share of the planned inputs at their times, each again and
/// again under the same identity until a replica says that it is done.
class LoadClient final : public sim::Program {
public:
    LoadClient(sim::Node& node, std::vector<const PlannedInput*> inputs,
               std::vector<sim::Node*> replicas);

private:
    asio::awaitable<void> send_all();
    asio::awaitable<void> send(const PlannedInput& planned);

    sim::Node& node_;
    std::vector<const PlannedInput*> inputs_;
    std::vector<sim::Node*> replicas_;
    sim::ProcessPorts process_;
};

} // namespace crier::scenario
