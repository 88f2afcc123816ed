#include "broker-model/store/sqlite_setup.hpp"
#include "scenarios/explore.hpp"
#include "scenarios/load_scenario.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace crier::scenario {
namespace {

// A service whose `mode` says how it misbehaves when an input arrives.
class Misbehaving final : public Service {
public:
    explicit Misbehaving(ServiceContext& context)
        : ports_(context.ports()), mode_(context.text("mode")),
          store_(context.store(context.text("database"))) {}

    asio::awaitable<void> run() override { co_return; }

    asio::awaitable<Outcome<void>> input(Input) override {
        if (mode_ == "hangs") {
            for (volatile bool forever = true; forever;) {
            }
        }
        if (mode_ == "stands") {
            for (;;)
                co_await ports_.clock.sleep(Duration::zero());
        }
        if (mode_ == "breaks") ensure(false, "two and two is five");
        co_return Outcome<void>{};
    }

private:
    ProcessPorts ports_;
    std::string mode_;
    Store& store_;
};

ServiceTable misbehaving(const std::string& mode) {
    ServiceType type;
    type.is = "misbehaving";
    type.options = {{"database", OptionType::database, {}, false, {}, ""},
                    {"mode", OptionType::text, mode, false, {}, ""}};
    type.takes_inputs = true;
    type.database_option = "database";
    type.make = [](ServiceContext& context) { return std::make_unique<Misbehaving>(context); };
    ServiceTable services;
    services.add(std::move(type));
    return services;
}

Scenario scenario_of(const ServiceTable& services) {
    broker::configure_sqlite();
    auto parsed = parse_scenario("databases: [db]\n"
                                 "services:\n"
                                 "  it: {is: misbehaving, database: db}\n"
                                 "load:\n"
                                 "  - {to: it, rate: 1/s, for: 2s}\n"
                                 "expect:\n"
                                 "  - {sql: {database: db, query: select 1, equals: 1}}\n",
                                 "misbehaving.yaml", services);
    if (!parsed) {
        ADD_FAILURE() << parsed.error().front().text();
        return {};
    }
    return std::move(*parsed);
}

ExploreOptions few_seeds(unsigned workers) {
    ExploreOptions options;
    options.last_seed = 6;
    options.workers = workers;
    return options;
}

TEST(Explore, HoldsWhereNothingMisbehaves) {
    const ServiceTable services = misbehaving("behaves");
    const Campaign result = explore(scenario_of(services), services, few_seeds(2), {});
    EXPECT_EQ(result.runs, 6u);
    EXPECT_EQ(result.broken, "");
    EXPECT_EQ(result.verdict, properties::VerdictKind::holds);
}

TEST(Explore, ReportsTheLowestSeedOfABrokenContractForAnyNumberOfWorkers) {
    const ServiceTable services = misbehaving("breaks");
    const Scenario scenario = scenario_of(services);
    for (const unsigned workers : {1u, 2u, 4u}) {
        const Campaign result = explore(scenario, services, few_seeds(workers), {});
        EXPECT_EQ(result.broken_seed, 1u);
        EXPECT_NE(result.broken.find("two and two is five"), std::string::npos) << result.broken;
    }
}

TEST(Explore, NamesTheNodeOnWhichTimeStandsStill) {
    const ServiceTable services = misbehaving("stands");
    const Campaign result = explore(scenario_of(services), services, few_seeds(1), {});
    EXPECT_NE(result.broken.find("time stands still"), std::string::npos) << result.broken;
}

TEST(ExploreDeathTest, TellsWhichNodeHangsInWhichSeed) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const ServiceTable services = misbehaving("hangs");
    const Scenario scenario = scenario_of(services);
    ExploreOptions options = few_seeds(1);
    options.step_limit = std::chrono::milliseconds(300);
    options.on_hang = [](std::uint64_t seed, const std::string& node) {
        fprintf(stderr, "seed %d hangs in %s\n", static_cast<int>(seed), node.c_str());
        ::_exit(4);
    };
    EXPECT_EXIT((void)explore(scenario, services, options, {}), testing::ExitedWithCode(4),
                "seed 1 hangs in it/1");
}

} // namespace
} // namespace crier::scenario
