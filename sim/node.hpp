#pragma once

#include "sim/disk.hpp"
#include "sim/kernel.hpp"
#include "sim/wall_clock.hpp"

#include <functional>
#include <memory>
#include <string>

namespace crier::sim {

class World;
class Node;

/// What runs in a process: the volatile state of a service or a broker. Destroyed at a crash, after
/// the process's coroutines.
class Program {
public:
    virtual ~Program() = default;

    /// Shuts down within `grace` and calls `done`, as a step of the process. What knows no better
    /// is done at once.
    virtual void stop(Duration grace, std::function<void()> done);
};

/// Starts a program in a fresh process, at boot and at every restart.
using Entry = std::function<std::unique_ptr<Program>(Node& node)>;

struct NodeOptions {
    std::string name;
    Entry entry;
    WallClock wall_clock{};
    DiskOptions disk{};
    Duration restart_delay =
        std::chrono::seconds(1); ///< Of the supervisor, after an escaped exception.
};

/// A simulated machine with one process: a name, a wall clock, a disk, and the life of its process.
class Node {
public:
    Node(World& world, std::uint32_t id, NodeOptions options);
    ~Node();

    [[nodiscard]] World& world() const { return world_; }
    [[nodiscard]] std::uint32_t id() const { return id_; }
    [[nodiscard]] const std::string& name() const { return options_.name; }
    [[nodiscard]] std::uint64_t name_text() const { return name_text_; } ///< As a history operand.
    [[nodiscard]] Disk& disk() { return disk_; }
    [[nodiscard]] WallClock& wall_clock() { return options_.wall_clock; }

    /// Returns the process of this life; between lives, the dead one. Valid while the world is.
    [[nodiscard]] Process& process() const { return *process_; }
    [[nodiscard]] bool is_up() const { return process_ != nullptr && process_->is_alive(); }
    [[nodiscard]] bool is_powered() const { return powered_; }

    /// Returns the running program, or null: not up, or up and not begun.
    [[nodiscard]] Program* program() const { return program_; }

    /// Starts the process. **Requires** that it is down.
    void start();

    /// The process dies; page cache and kernel live on: peers see their connections break.
    /// No effect when it is down.
    void crash(std::string_view how);

    /// Tells the process to stop; it ends when its program has done so. No effect when it is down.
    void stop(Duration grace);

    /// The machine dies: unsynced writes go, if `thorough` all that can go, and peers are told
    /// nothing. No effect without power.
    void lose_power(bool thorough = false);

    /// Freezes and unfreezes the process; `expected` is only for the history.
    void pause(Duration expected);
    std::uint64_t resume(); ///< **Returns** how much was held back.

    /// Ends the process because `what` was caught by nothing in it, and starts it again a little
    /// later. A broken contract ends the run instead.
    void exception_escaped(std::string_view work, const std::exception_ptr& what);

private:
    World& world_;
    std::uint32_t id_;
    NodeOptions options_;
    std::uint64_t name_text_;
    Disk disk_;
    Program* program_ = nullptr; // owned by the process, which outlives its frames
    Process* process_ = nullptr;
    std::uint32_t incarnation_ = 0;
    bool powered_ = true;
};

} // namespace crier::sim
