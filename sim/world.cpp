#include "sim/world.hpp"

namespace crier::sim {

World::World(WorldOptions options)
    : options_(options), random_(options.seed),
      strategy_(make_strategy(options.strategy, options.seed)), history_(options.history),
      kernel_(*strategy_), world_process_(&make_process(0, 0)),
      network_(*this, kernel_, random_, options.network), faults_(*this) {}

// Programs and frames may look at nodes, network and history while they go: those go after them.
World::~World() {
    end_processes();
}

void World::end_processes() {
    for (const auto& process : processes_)
        process->kill();
}

Process& World::make_process(std::uint32_t node, std::uint32_t incarnation) {
    return *processes_.emplace_back(std::make_unique<Process>(kernel_, node, incarnation));
}

Node& World::add_node(NodeOptions options) {
    ensure(find(options.name) == nullptr, "a node of this name exists already");
    const std::uint32_t id = node_count() + 1;
    nodes_.push_back(std::make_unique<Node>(*this, id, std::move(options)));
    Node& added = *nodes_.back();
    record_as(nullptr, events::node_added, added.name_text());
    return added;
}

Node* World::find(std::string_view name) {
    for (const auto& node : nodes_) {
        if (node->name() == name) return node.get();
    }
    return nullptr;
}

void World::require(bool condition, const char* message, const boost::source_location& where) {
    if (condition) return;
    const ContractViolation violation(message, where);
    note_broken(violation.what());
    throw violation;
}

void World::note_broken(std::string what) {
    if (broken_) return;
    const Process* const current = kernel_.current();
    const bool on_node = current != nullptr && current->node() != 0;
    broken_ = BrokenInvariant{std::move(what), now(),
                              on_node ? node(current->node()).name() : "the world"};
}

void World::note_escaped(std::string what) {
    constexpr std::size_t kept_max = 10;
    if (escaped_.size() < kept_max) escaped_.push_back(std::move(what));
}

bool World::step(Instant limit) {
    if (broken_) return false;
    try {
        if (!kernel_.step(limit)) return false;
    } catch (const std::exception& error) {
        note_broken(error.what());
        return false;
    }
    if (kernel_.steps_at_now() > options_.steps_per_instant_max) {
        note_broken("time stands still: one instant has taken more than " +
                    std::to_string(options_.steps_per_instant_max) + " steps");
        return false;
    }
    return true;
}

bool World::run_until(Instant limit) {
    while (step(limit)) {
    }
    if (broken_) return false;
    kernel_.advance_to(limit);
    return true;
}

} // namespace crier::sim
