#pragma once

#include "broker-model/kafka/cluster.hpp"
#include "broker-model/store/database.hpp"
#include "properties/topology.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/service_program.hpp"
#include "sim/world.hpp"

#include <memory>
#include <vector>

namespace crier::scenario {

/// The system that a scenario describes, standing in a world: clusters, databases, services, load.
/// The scenario, the table, the plan and the world outlive it; the world's processes must be dead
/// (or the world gone) before it goes.
class System {
public:
    /// `connections` of earlier runs may be null.
    System(sim::World& world, const Scenario& scenario, const ServiceTable& services,
           const Plan& plan, const std::shared_ptr<broker::Connections>& connections = nullptr);

    /// Starts every node: brokers and databases, then services, then load.
    void start();

    /// Puts the plan's faults into the world's fault engine. **Returns** for each fault of the plan
    /// its id in the engine, in the plan's order.
    std::vector<std::uint32_t> add_faults(const Plan& plan);

    [[nodiscard]] const properties::Topology& topology() const { return topology_; }
    [[nodiscard]] broker::Database* database(const std::string& name) const;

    /// Returns what is committed in a database, or in each file that it is (`local-billing-1`).
    [[nodiscard]] std::vector<broker::KeptDatabase> keep(const std::string& name) const;
    /// Reads what is committed in a database, or in all files that it is.
    [[nodiscard]] Result<Rows, broker::SqlProblem> query(const std::string& database,
                                                         const std::string& sql) const;
    [[nodiscard]] std::vector<std::string> node_names() const;

private:
    void add_brokers();
    void add_databases(const std::shared_ptr<broker::Connections>& connections);
    [[nodiscard]] std::vector<broker::RowWatch> rows_told_of(const std::string& database) const;
    [[nodiscard]] std::vector<broker::RowWatch> watches_of(const std::string& database) const;
    void describe_outboxes(const ServiceTable& services);
    void add_services(const ServiceTable& services);
    void add_load(const Plan& plan);
    void describe(const ServiceTable& services);

    struct Place {
        broker::kafka::Cluster* cluster = nullptr; ///< Null: there is none.
        broker::kafka::PartitionId partition = 0;
    };

    [[nodiscard]] std::vector<std::uint32_t> nodes_of(const Target& target) const;
    /// Returns the partition whose leader the target is.
    [[nodiscard]] Place find_partition(const Target& target) const;
    bool change(const std::string& channel, Story story, std::int64_t amount) const;
    [[nodiscard]] std::uint64_t name(const std::string& text);
    [[nodiscard]] bool fits_budget(sim::FaultKind kind, std::span<const std::uint32_t> nodes) const;

    struct ServiceNodes {
        const ServiceSpec* spec;
        std::vector<sim::Node*> replicas;
    };

    sim::World& world_;
    const Scenario& scenario_;
    std::vector<std::unique_ptr<broker::kafka::Cluster>> clusters_;
    std::vector<std::unique_ptr<broker::Database>> databases_;
    std::vector<std::unique_ptr<broker::EmbeddedDatabase>> files_;
    Directory directory_;
    std::vector<ServiceNodes> services_;
    std::vector<sim::Node*> load_;
    properties::Topology topology_;
};

} // namespace crier::scenario
