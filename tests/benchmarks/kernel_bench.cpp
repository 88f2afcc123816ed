// The kernel beside the yardstick: a bare std::priority_queue of (time, sequence, function
// pointer). The counter `x_yardstick` is the ratio to a yardstick run just before, in the same
// process.
#include "tests/benchmarks/workloads.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <limits>

namespace crier::bench {
namespace {

constexpr std::uint64_t operations = 200'000;

template <class Workload>
double seconds_of(Workload workload) {
    const auto begin = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(workload());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Runs the workload beside the yardstick at `pending`, in turns; the counter is the ratio of the
/// best.
template <class Workload>
void beside_yardstick(benchmark::State& state, std::uint64_t pending, Workload workload) {
    double best = std::numeric_limits<double>::max();
    double best_yardstick = best;
    for (auto unused : state) {
        (void)unused;
        best_yardstick = std::min(best_yardstick,
                                  seconds_of([&] { return hold_yardstick(pending, operations); }));
        const double seconds = seconds_of(workload);
        best = std::min(best, seconds);
        state.SetIterationTime(seconds);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(operations) * state.iterations());
    state.counters["x_yardstick"] = best / best_yardstick;
    state.counters["ns_each"] = best / static_cast<double>(operations) * 1e9;
}

void Hold(benchmark::State& state) {
    const auto pending = static_cast<std::uint64_t>(state.range(0));
    beside_yardstick(state, pending, [pending] { return hold_kernel(pending, operations); });
}
BENCHMARK(Hold)->Arg(1)->Arg(1'000)->Arg(100'000)->UseManualTime()->Unit(benchmark::kMillisecond);

void CoroutineSleeps(benchmark::State& state) {
    const auto sleepers = static_cast<std::uint64_t>(state.range(0));
    beside_yardstick(state, sleepers,
                     [sleepers] { return sleeping_coroutines(sleepers, operations); });
}
BENCHMARK(CoroutineSleeps)
    ->Arg(1)
    ->Arg(1'000)
    ->Arg(100'000)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

void PingPong100Bytes(benchmark::State& state) {
    beside_yardstick(state, 1'000, [] { return ping_pong(operations); });
}
BENCHMARK(PingPong100Bytes)->UseManualTime()->Unit(benchmark::kMillisecond);

} // namespace
} // namespace crier::bench
