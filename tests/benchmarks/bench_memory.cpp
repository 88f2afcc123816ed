// Whether a run's memory grows with its length while retention is on: the heap's peak over the
// second million of messages beside its peak over the last million.
#include "tests/benchmarks/kafka_flow.hpp"
#include "tests/benchmarks/result_line.hpp"

#include <algorithm>
#include <malloc.h>

namespace {

constexpr std::uint64_t million = 1'000'000;

std::size_t heap() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

} // namespace

int main(int count, char** arguments) {
    using namespace crier::bench;
    const std::uint64_t millions = count > 1 ? number(arguments[1]) : 10;
    if (millions < 3) {
        std::fprintf(stderr, "usage: bench-memory [MILLIONS]: at least 3 million messages\n");
        return 2;
    }
    FlowOptions options;
    options.total = millions * million;
    options.batch = 1'000;
    options.log.retention_bytes = std::int64_t{64} << 20;
    options.log.segment_bytes = std::int64_t{4} << 20;
    options.log_retention_check_interval = std::chrono::milliseconds(100);
    std::size_t early = 0;
    std::size_t late = 0;
    const int result = print_result("memory", options.total, [&] {
        run_flow(options, [&](std::uint64_t received) {
            std::size_t& peak = received < 2 * million ? early : late;
            const bool counts = (received >= million && received < 2 * million) ||
                                received >= options.total - million;
            if (counts) peak = std::max(peak, heap());
        });
        return early;
    });
    const double growth = static_cast<double>(late) / static_cast<double>(early) - 1;
    std::printf(
        "heap at 1 to 2 million messages %.1f MiB, at the last million %.1f MiB: %+.2f %%\n",
        static_cast<double>(early) / (1 << 20), static_cast<double>(late) / (1 << 20),
        100 * growth);
    if (result != 0 || early == 0 || late == 0) return 4;
    return growth <= 0.05 ? 0 : 1;
}
