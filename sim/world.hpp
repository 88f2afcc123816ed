#pragma once

#include "messaging/ports/result.hpp"
#include "sim/events.hpp"
#include "sim/faults.hpp"
#include "sim/history.hpp"
#include "sim/kernel.hpp"
#include "sim/network.hpp"
#include "sim/node.hpp"
#include "sim/random.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace crier::sim {

struct WorldOptions {
    std::uint64_t seed = 1;
    StrategyKind strategy = StrategyKind::in_order;
    HistoryOptions history{};
    NetworkOptions network{};
    std::uint64_t steps_per_instant_max =
        1'000'000; ///< More without time moving: the run stands still.
};

/// Why a run cannot be judged: an invariant of the harness or of a contract was broken.
struct BrokenInvariant {
    std::string what;
    Instant time;
    std::string node;
};

/// One run: virtual time, nodes, network, faults and history from one seed. No state outside of it.
class World {
public:
    explicit World(WorldOptions options);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] Kernel& kernel() { return kernel_; }
    [[nodiscard]] const Random& random() const { return random_; }
    [[nodiscard]] History& history() { return history_; }
    [[nodiscard]] Network& network() { return network_; }
    [[nodiscard]] FaultEngine& faults() { return faults_; }
    [[nodiscard]] Instant now() const { return kernel_.now(); }

    /// Adds a node; its process starts with `Node::start`. Ids count from 1 in the order of
    /// addition; 0 is the world itself, on whose process faults and plans run.
    Node& add_node(NodeOptions options);

    [[nodiscard]] Node& node(std::uint32_t id) { return *nodes_[id - 1]; }
    [[nodiscard]] std::uint32_t node_count() const {
        return static_cast<std::uint32_t>(nodes_.size());
    }

    /// Returns the node of that name, or null.
    [[nodiscard]] Node* find(std::string_view name);

    /// Returns the process of the world itself; it never dies.
    [[nodiscard]] Process& process() { return *world_process_; }

    /// Records an event of the current process (or of the world, between steps). What a ghost
    /// records is dropped.
    template <class... Operands>
    void record(const EventKind& kind, Operands... operands) {
        record_as(kernel_.current(), kind, operands...);
    }

    /// Records an event as `process`'s, whose step need not be running.
    template <class... Operands>
    void record_as(const Process* process, const EventKind& kind, Operands... operands) {
        static_assert(sizeof...(Operands) <= 4);
        if (kernel_.is_ghost()) return;
        Event event;
        event.time = now().time_since_epoch().count();
        event.cause = kernel_.cause();
        event.node = process == nullptr ? 0 : process->node();
        event.incarnation = process == nullptr ? 0 : process->incarnation();
        event.kind = kind.id;
        event.operands = {static_cast<std::uint64_t>(operands)...};
        kernel_.set_cause(history_.append(event));
    }

    /// Records the violation before throwing it, so that catching it undoes nothing.
    void require(bool condition, const char* message,
                 const boost::source_location& where = BOOST_CURRENT_LOCATION);

    /// Notes a broken invariant that was caught where it could go no further.
    void note_broken(std::string what);

    /// Runs steps until nothing is due at or before `limit`, or a broken invariant.
    /// **Returns** whether it reached `limit`; time is then `limit`.
    bool run_until(Instant limit);

    /// Runs one step at or before `limit`. **Returns** false when there is none or the run is
    /// broken.
    bool step(Instant limit);

    /// Ends every process, for good: what they were built on may go before the world does.
    void end_processes();

    /// Notes in words what escaped from product code; the first few are kept.
    void note_escaped(std::string what);
    [[nodiscard]] const std::vector<std::string>& escaped() const { return escaped_; }

    [[nodiscard]] const std::optional<BrokenInvariant>& broken() const { return broken_; }

private:
    friend class Node;

    Process& make_process(std::uint32_t node, std::uint32_t incarnation);

    WorldOptions options_;
    Random random_;
    std::unique_ptr<Strategy> strategy_;
    History history_;
    Kernel kernel_;
    std::deque<std::unique_ptr<Process>> processes_; // all lives: executors point to them
    Process* world_process_;
    Network network_;
    FaultEngine faults_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::optional<BrokenInvariant> broken_;
    std::vector<std::string> escaped_;
};

} // namespace crier::sim
