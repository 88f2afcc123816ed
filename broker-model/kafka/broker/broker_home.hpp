#pragma once

#include "broker-model/kafka/cluster.hpp"
#include "sim/world.hpp"

namespace crier::broker::kafka {

/// Where the parts of one broker's program live, and who it is in the cluster.
struct BrokerHome {
    BrokerHome(Cluster& of, sim::Node& on, BrokerId broker)
        : cluster(of), node(on), process(on.process()), id(broker) {}

    Cluster& cluster;
    sim::Node& node;
    sim::Process& process;
    BrokerId id;
    std::uint64_t broker_epoch = 0; ///< 0 until registered in this life.

    [[nodiscard]] sim::World& world() const { return node.world(); }
    [[nodiscard]] sim::Kernel& kernel() const { return process.kernel(); }
    [[nodiscard]] sim::Network& network() const { return node.world().network(); }
    [[nodiscard]] Instant now() const { return process.kernel().now(); }
    /// Returns what the machine's clock shows.
    [[nodiscard]] WallTime wall_now() const { return node.wall_clock().read(now()); }
    /// Returns it as the timestamp of a record, in nanoseconds.
    [[nodiscard]] std::int64_t timestamp_now() const {
        return wall_now().time_since_epoch().count();
    }

    /// Returns the disk time since the last call, when it is worth a step of its own: a write to
    /// the page cache is less than what the network's latency varies by.
    [[nodiscard]] Duration take_disk_time() const {
        const Duration time = node.disk().take_time();
        return time < std::chrono::microseconds(50) ? Duration{} : time;
    }
};

} // namespace crier::broker::kafka
