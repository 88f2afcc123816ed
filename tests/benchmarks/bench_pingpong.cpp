// bench-pingpong MESSAGES: a 100-byte message back and forth between two nodes.
#include "tests/benchmarks/result_line.hpp"
#include "tests/benchmarks/workloads.hpp"

int main(int argc, char** argv) {
    if (argc != 2) return crier::bench::usage("bench-pingpong MESSAGES");
    const std::uint64_t messages = crier::bench::number(argv[1]);
    if (messages == 0) return crier::bench::usage("bench-pingpong MESSAGES");
    return crier::bench::print_result("pingpong", messages,
                                      [&] { return crier::bench::ping_pong(messages); });
}
