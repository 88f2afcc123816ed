#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

namespace crier::scenario {

/// Jobs for `run_workers`: first, first + 1, … last, each once and in no order, until all are done
/// or `is_wanted` says no for all that are left. This is the one file of the simulator that starts
/// threads.
struct WorkerOptions {
    std::uint64_t first = 0;
    std::uint64_t last = 0; ///< Inclusive.
    unsigned workers = 1;
    std::function<void(unsigned worker)> start;   ///< Called first on workers; unset: nothing.
    std::function<bool(std::uint64_t)> is_wanted; ///< Called on workers; thread-safe.
    std::function<void(unsigned worker, std::uint64_t)> run; ///< Called on workers; shares nothing.
    std::function<void(unsigned worker, std::uint64_t)>
        collect;                ///< After `run`, on its worker; one at a time.
    std::function<void()> tick; ///< On the caller's thread, often; not while one collects.
    std::chrono::milliseconds tick_every{100};
};

/// Completes when all workers have ended. An exception of a job is thrown here, the lowest job's
/// first.
void run_workers(const WorkerOptions& options);

/// A real clock, for limits and reports; the only one below `cli`.
[[nodiscard]] std::chrono::nanoseconds real_time();

} // namespace crier::scenario
