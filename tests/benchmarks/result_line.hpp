#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string_view>

namespace crier::bench {

inline int usage(const char* text) {
    std::fprintf(stderr, "usage: %s (both positive numbers)\n", text);
    return 2;
}

/// Returns the number, or 0 if it is none.
inline std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? value : 0;
}

/// Runs the workload and prints `RESULT name ops wall_s cpu_s check`.
template <class Workload>
int print_result(const char* name, std::uint64_t operations, Workload workload) {
    const auto wall = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    const std::uint64_t check = workload();
    const double cpu_seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    const std::chrono::duration<double> wall_seconds = std::chrono::steady_clock::now() - wall;
    std::printf("RESULT %s %llu %.6f %.6f %llu\n", name,
                static_cast<unsigned long long>(operations), wall_seconds.count(), cpu_seconds,
                static_cast<unsigned long long>(check));
    return 0;
}

} // namespace crier::bench
