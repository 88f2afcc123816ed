#include "cli/program.hpp"

int main(int argc, char** argv) {
    return crier::cli::run_program(argc, argv, crier::scenario::stock_services());
}
