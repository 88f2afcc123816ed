#pragma once

#include "sim/disk.hpp"
#include "sim/hash.hpp"

#include <cstdint>
#include <string_view>

// What one process does to its disk, as the rest of the store sees it: each I/O takes time, is a
// point at which a fault can strike, fails on a full or failing disk, and is dropped when the
// process is dead. Without a process (the harness at work) none of this applies.

namespace crier::sim {
class Node;
class Process;
} // namespace crier::sim

namespace crier::broker {

enum class IoResult { done, full, failed, dead };

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

    /// Sets `count` to how many bytes there were.
    [[nodiscard]] IoResult read(const sim::File& file, std::size_t offset, std::byte* to,
                                std::size_t length, std::size_t& count);
    [[nodiscard]] IoResult write(sim::File& file, std::size_t offset, const std::byte* from,
                                 std::size_t length);
    [[nodiscard]] IoResult truncate(sim::File& file, std::size_t size);
    [[nodiscard]] IoResult sync(sim::File& file);
    [[nodiscard]] IoResult sync_directory();

    /// Removes a file; does nothing when it is not there.
    [[nodiscard]] IoResult unlink(std::string_view name);

private:
    /// Reaches a point. **Returns** done if the I/O may go on: the process still lives (or the
    /// harness may do it), and the disk works.
    [[nodiscard]] IoResult reach(std::uint64_t point);
    void add_time(Duration time);

    struct Points {
        std::uint64_t read = sim::hash_text("disk.read");
        std::uint64_t write = sim::hash_text("disk.write");
        std::uint64_t truncate = sim::hash_text("disk.truncate");
        std::uint64_t sync = sim::hash_text("disk.sync");
        std::uint64_t unlink = sim::hash_text("disk.delete");
    };

    sim::Disk& disk_;
    sim::Node* node_ = nullptr;
    sim::Process* process_ = nullptr;
    bool may_write_ = true;
    Points points_;
};

} // namespace crier::broker
