// bench-hold N EVENTS: the hold model at N pending events, for side-by-side runs with other
// simulators.
#include "tests/benchmarks/result_line.hpp"
#include "tests/benchmarks/workloads.hpp"

int main(int argc, char** argv) {
    if (argc != 3) return crier::bench::usage("bench-hold N EVENTS");
    const std::uint64_t pending = crier::bench::number(argv[1]);
    const std::uint64_t events = crier::bench::number(argv[2]);
    if (pending == 0 || events == 0) return crier::bench::usage("bench-hold N EVENTS");
    return crier::bench::print_result("hold", events,
                                      [&] { return crier::bench::hold_kernel(pending, events); });
}
