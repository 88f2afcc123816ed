#include "tests/zoo/services.hpp"

namespace crier::zoo {

scenario::OptionInfo either(std::string name, std::string right, std::string wrong) {
    scenario::OptionInfo option{std::move(name), scenario::OptionType::choice, right};
    option.choices = {right, std::move(wrong)};
    option.help = "the first is right";
    return option;
}

asio::awaitable<void> insist(ProcessPorts ports, Store& store, std::string sql,
                             std::vector<Value> parameters) {
    for (;;) {
        const auto done = co_await store.execute(sql, parameters);
        if (done) co_return;
        co_await ports.clock.sleep(std::chrono::milliseconds(200));
    }
}

} // namespace crier::zoo
