#pragma once

#include "properties/topology.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

// Turns what an event names (a table, a partition, a group, a node) into places in the topology.
// Knows nothing of what happened.

namespace crier::properties {

/// Lookups in one topology, which must be complete and outlive it.
class Routes {
public:
    explicit Routes(const Topology& topology);

    [[nodiscard]] const Topology& topology() const { return topology_; }

    /// Returns the flows whose accepted events are the rows of that table, ascending.
    [[nodiscard]] std::span<const std::size_t> flows_of_table(std::uint64_t table) const;

    /// Returns the flows into that channel, ascending.
    [[nodiscard]] std::span<const std::size_t> flows_of_channel(std::size_t channel) const;

    /// Returns the flows that reach that subscriber, ascending.
    [[nodiscard]] std::span<const std::size_t> flows_of_subscriber(std::size_t subscriber) const;

    /// Returns the subscribers whose effects are the rows of that table, ascending.
    [[nodiscard]] std::span<const std::size_t> subscribers_of_table(std::uint64_t table) const;

    /// Returns the subscribers of that service, ascending.
    [[nodiscard]] std::span<const std::size_t> subscribers_of_service(std::uint64_t service) const;

    /// Returns the subscribers that run on that node, ascending.
    [[nodiscard]] std::span<const std::size_t> subscribers_of_node(std::uint32_t node) const;

    /// Returns the subscriber that reads the partition as that group.
    [[nodiscard]] std::optional<std::size_t> subscriber(std::uint64_t group,
                                                        std::uint64_t partition) const;

    /// Returns the place of a partition, or null if it is none of the topology's.
    [[nodiscard]] const PartitionPlace* place(std::uint64_t partition) const;

    /// Returns the channel of a partition, or null if it is none of the topology's.
    [[nodiscard]] const Channel* channel(std::uint64_t partition) const;

    /// Whether coordinators keep their books there: commits, members, transactions.
    [[nodiscard]] bool is_internal(std::uint64_t partition) const {
        return topology_.internal_partitions.contains(partition);
    }

    /// Whether Kafka may lose what is stored there; of a partition that is not known, it may.
    [[nodiscard]] bool may_lose(std::uint64_t partition) const;

    /// Whether compaction takes records away there, each broker its own, and does not say which.
    [[nodiscard]] bool compacts(std::uint64_t partition) const;

    /// Whether the effects of the subscriber are counted; others have no units.
    [[nodiscard]] bool counts(std::size_t subscriber) const {
        return topology_.subscribers[subscriber].effects_table_text != 0;
    }

private:
    using Lists = std::map<std::uint64_t, std::vector<std::size_t>>;

    [[nodiscard]] static std::span<const std::size_t> find(const Lists& lists, std::uint64_t key);

    const Topology& topology_;
    Lists flows_by_table_;
    Lists flows_by_channel_;
    Lists flows_by_subscriber_;
    Lists subscribers_by_table_;
    Lists subscribers_by_service_;
    Lists subscribers_by_node_;
    Lists subscribers_by_group_;
};

/// Whether an operand of type text says nothing.
[[nodiscard]] bool is_empty_text(std::uint64_t text);

/// The fates of event kind `settled`, as operands.
struct FateTexts {
    FateTexts();

    std::uint64_t done;
    std::uint64_t duplicate;
    std::uint64_t parked;
    std::uint64_t discarded;
};

} // namespace crier::properties
