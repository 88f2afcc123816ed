#include "scenarios/stock/schema.hpp"

namespace crier::scenario {

asio::awaitable<void> ensure_schema(ProcessPorts ports, Store& store,
                                    std::vector<std::string> statements) {
    for (const std::string& statement : statements) {
        for (;;) {
            const Outcome<Rows> done = co_await store.execute(statement, parameters());
            if (done) break;
            co_await ports.clock.sleep(std::chrono::milliseconds(500));
        }
    }
}

} // namespace crier::scenario
