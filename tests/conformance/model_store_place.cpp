#include "broker-model/store/sim_store.hpp"
#include "sim/world.hpp"
#include "tests/conformance/store_place.hpp"
#include "tests/conformance/store_program_run.hpp"

#include <algorithm>

namespace crier::conformance {

namespace {

// Longer than any program lasts: nothing but the programs themselves ends a wait.
constexpr Duration never = std::chrono::hours(24);

broker::DatabaseOptions database_options() {
    broker::DatabaseOptions options;
    options.name = "db";
    options.schema = store_program_schema();
    for (const std::string& sql : store_program_rows())
        options.schema.push_back(sql);
    options.lock_timeout = never;
    options.idle_transaction_timeout = never;
    return options;
}

/// The sessions of one program: a process that has them all, and takes the steps.
class ModelArm final : public sim::Program, public StoreArm {
public:
    ModelArm(sim::Node& home, broker::Database& database, const StoreProgram& program,
             StoreHistory& history, bool& is_done)
        : ports_(home), is_done_(is_done) {
        broker::StoreOptions options;
        options.request_timeout = never;
        for (std::size_t session = 0; session < program.sessions; ++session)
            stores_.push_back(std::make_unique<broker::SimStore>(database, home, options));
        ports_.spawn("program", run(program, history));
    }

    [[nodiscard]] Clock& clock() override { return ports_; }
    [[nodiscard]] Background& background() override { return ports_; }
    [[nodiscard]] Store& store(std::size_t session) override { return *stores_.at(session); }

    // A deadlock is seen within a second, and what it sets free may end in another.
    [[nodiscard]] asio::awaitable<void> settle(Pending pending) override {
        co_await ports_.sleep(std::chrono::milliseconds(50));
        std::vector<std::size_t> before;
        std::vector<std::size_t> now = pending();
        while (!now.empty() && now != before) {
            before = std::move(now);
            co_await ports_.sleep(std::chrono::milliseconds(2500));
            now = pending();
        }
    }

private:
    asio::awaitable<void> run(const StoreProgram& program, StoreHistory& history) {
        co_await run_store_program(program, *this, history);
        is_done_ = true;
    }

    sim::ProcessPorts ports_;
    std::vector<std::unique_ptr<broker::SimStore>> stores_;
    bool& is_done_;
};

StoreHistory run_on_model(const StoreProgram& program, std::uint64_t seed) {
    StoreHistory history;
    bool is_done = false;
    sim::WorldOptions world_options;
    world_options.seed = seed;
    sim::World world(std::move(world_options));
    broker::Database database(world, database_options());
    database.start();
    sim::NodeOptions node;
    node.name = "sessions";
    node.entry = [&](sim::Node& home) {
        return std::make_unique<ModelArm>(home, database, program, history, is_done);
    };
    world.add_node(std::move(node)).start();
    for (int minute = 0; minute < 60 && !is_done && !world.broken(); ++minute)
        (void)world.run_until(world.now() + std::chrono::minutes(1));
    if (world.broken()) history.problem = world.broken()->what;
    if (!is_done && history.problem.empty()) history.problem = "it did not come to its end";
    return history;
}

class ModelPlace final : public StorePlace {
public:
    std::vector<StoreHistory> run(const std::vector<StoreProgram>& programs) override {
        std::vector<StoreHistory> histories;
        for (const StoreProgram& program : programs)
            histories.push_back(run_on_model(program, ++runs_));
        return histories;
    }

private:
    std::uint64_t runs_ = 0;
};

} // namespace

std::unique_ptr<StorePlace> model_place(std::string& /*missing*/) {
    return std::make_unique<ModelPlace>();
}

} // namespace crier::conformance
