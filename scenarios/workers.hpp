#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

namespace crier::scenario {

/// Runs jobs first, first + 1, … last on `workers` threads, each job once and in no order, until they are
/// all done or `next_is_wanted(number)` says no for all that are left. This is the one file of the
/// simulator that starts threads; jobs share nothing.
struct WorkerOptions {
    std::uint64_t first = 0;
    std::uint64_t last = 0; ///< Inclusive.
    unsigned workers = 1;
    std::function<bool(std::uint64_t)> is_wanted;               ///< Called on workers; thread-safe.
    std::function<void(unsigned worker, std::uint64_t)> run;    ///< Called on workers.
    std::function<void()> tick;                                 ///< Called on the caller's thread, often.
    std::chrono::milliseconds tick_every{100};
};

/// Completes when all workers have ended. An exception of a job is thrown here, the lowest job's first.
void run_workers(const WorkerOptions& options);

/// A real clock, for limits and reports; the only one below `cli`.
[[nodiscard]] std::chrono::nanoseconds real_time();

} // namespace crier::scenario
