#pragma once

#include "properties/topology.hpp"
#include "sim/history.hpp"

#include <cstdint>
#include <map>
#include <span>

// How many partitions the channels have: those that they begin with, and what is added since.

namespace crier::properties {

class PartitionCounts {
public:
    explicit PartitionCounts(const Topology& topology) : topology_(topology) {}

    void read(const sim::Event& event);

    /// Returns the partitions of a channel that there are now, by index.
    [[nodiscard]] std::span<const std::uint64_t> of(std::size_t channel) const;

private:
    const Topology& topology_;
    std::map<std::uint64_t, std::size_t> counts_; // by topic, of those that changed
};

} // namespace crier::properties
