#pragma once

#include <chrono>
#include <cstdint>

// The kernel's standard workloads, for Google Benchmark and for the plain programs that stand
// beside other simulators. Each runs `operations` and returns a checksum that depends on all of
// them.

namespace crier::bench {

/// Pending events of the hold model are re-inserted at now + below(2^20) nanoseconds.
[[nodiscard]] std::uint64_t hold_yardstick(std::uint64_t pending, std::uint64_t operations);

/// The same on the kernel: type-erased handlers posted through the Asio executor's process.
[[nodiscard]] std::uint64_t hold_kernel(std::uint64_t pending, std::uint64_t operations);

/// Coroutines that sleep in a loop, through the clock's timer.
[[nodiscard]] std::uint64_t sleeping_coroutines(std::uint64_t sleepers, std::uint64_t operations);

/// A 100-byte message back and forth between two nodes; each direction is one operation.
[[nodiscard]] std::uint64_t ping_pong(std::uint64_t operations);

} // namespace crier::bench
