// A team's own service in the program: the class, its row in the table, and the five-line main.
#include "cli/program.hpp"
#include "loyalty.hpp"

int main(int argc, char** argv) {
    crier::scenario::ServiceTable services = crier::scenario::stock_services();
    services.add(loyalty::service_type());
    return crier::cli::run_program(argc, argv, services);
}
