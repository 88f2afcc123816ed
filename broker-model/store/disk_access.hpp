#pragma once

#include "sim/disk.hpp"

#include <cstdint>
#include <string_view>

// What one process does to its disk, as the rest of the store sees it: writes and syncs take time,
// are points at which a fault can strike, fail on a full disk, and are dropped when the process is
// dead. Without a process (the harness at work) none of this applies.

namespace crier::sim {
class Node;
class Process;
} // namespace crier::sim

namespace crier::broker {

enum class IoResult { done, full, dead };

/// One process's way to its disk.
class DiskAccess {
public:
    /// For the present process of `node`.
    explicit DiskAccess(sim::Node& node);

    /// For the harness: no time, no faults, never dead. What it may not write, it fails to.
    DiskAccess(sim::Disk& disk, bool may_write) : disk_(disk), may_write_(may_write) {}
    DiskAccess(const DiskAccess&) = delete;
    DiskAccess& operator=(const DiskAccess&) = delete;

    [[nodiscard]] sim::Disk& disk() const { return disk_; }
    [[nodiscard]] bool is_dead() const;

    [[nodiscard]] IoResult write(sim::File& file, std::size_t offset, const std::byte* from,
                                 std::size_t length);
    [[nodiscard]] IoResult truncate(sim::File& file, std::size_t size);
    [[nodiscard]] IoResult sync(sim::File& file);

    /// Removes a file; does nothing when it is not there.
    [[nodiscard]] IoResult remove(std::string_view name);

private:
    /// Reaches a point. **Returns** whether the process still lives (or the harness may write).
    [[nodiscard]] bool passes(std::uint64_t point);
    void add_time(Duration time);

    sim::Disk& disk_;
    sim::Node* node_ = nullptr;
    sim::Process* process_ = nullptr;
    bool may_write_ = true;
    std::uint64_t write_point_ = 0;
    std::uint64_t sync_point_ = 0;
};

} // namespace crier::broker
