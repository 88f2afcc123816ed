#include "messaging/outbox.hpp"
#include "messaging/postgres/postgres_store.hpp"
#include "scenarios/load_scenario.hpp"

#include <iostream>

int main() {
    const auto loaded = crier::scenario::parse_scenario("chanels: {}\n", "typo.yaml", {});
    if (loaded) return 1;
    for (const auto& error : loaded.error())
        std::cout << error.text() << '\n';
    const crier::messaging::postgres::PostgresOptions options;
    if (!options.validate().empty()) return 1;
    return crier::messaging::outbox_schema().empty() ? 1 : 0;
}
