// Leaving something out of a run changes nothing that does not follow from it.
#include "scenarios/plan.hpp"
#include "sim/events.hpp"
#include "tests/support/scenario_runs.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <tuple>

namespace crier {
namespace {

scenario::RunResult run_edited(const scenario::Scenario& scenario, scenario::PlanEdits edits) {
    scenario::RunOptions options;
    options.edits = std::move(edits);
    options.keep_history = true;
    return scenario::run_scenario(scenario, scenario::stock_services(), options);
}

// Events number faults by their place in the plan, which is no draw; their words tell them apart.
bool same(sim::Event a, sim::Event b) {
    for (sim::Event* const event : {&a, &b}) {
        if (event->kind == sim::events::fault_began.id ||
            event->kind == sim::events::fault_ended.id)
            event->operands[0] = 0;
    }
    return std::memcmp(&a, &b, sizeof a) == 0;
}

/// Returns the time of the first event in which two histories differ; the end of time if in
/// none.
Instant parting(const scenario::RunResult& a, const scenario::RunResult& b) {
    const std::size_t both = std::min(a.history.size(), b.history.size());
    for (std::size_t at = 0; at < both; ++at) {
        if (!same(a.history[at], b.history[at]))
            return Instant(Duration(std::min(a.history[at].time, b.history[at].time)));
    }
    return Instant(Duration::max());
}

auto fields_of(const scenario::PlannedInput& planned) {
    return std::tuple(planned.input.number, planned.input.id, planned.input.key,
                      planned.input.poison, planned.load, planned.at);
}

auto fields_of(const scenario::PlannedFault& fault) {
    return std::tuple(fault.id, fault.kind, fault.target.name, fault.one_way, fault.trigger.at,
                      fault.trigger.nth, fault.length, fault.amount, fault.what);
}

template <class Planned>
auto all_fields_of(const std::vector<Planned>& planned) {
    std::vector<decltype(fields_of(planned.front()))> fields;
    for (const Planned& one : planned)
        fields.push_back(fields_of(one));
    return fields;
}

TEST(LeavingOutAnInput, ChangesNoOtherDrawOfThePlan) {
    const scenario::Scenario scenario = test::load("scenarios/catalogue/order-fulfilment.yaml");
    scenario::Plan whole = scenario::make_plan(scenario, 1);
    for (const std::uint64_t number : {0U, 17U, 500U, 999U}) {
        const scenario::Plan edited = scenario::make_plan(scenario, 1, {{number}, {}});
        std::vector<scenario::PlannedInput> others = whole.inputs;
        const auto left_out = std::find_if(others.begin(), others.end(), [number](const auto& one) {
            return one.input.number == number;
        });
        ASSERT_NE(left_out, others.end());
        others.erase(left_out);
        EXPECT_EQ(all_fields_of(edited.inputs), all_fields_of(others));
        EXPECT_EQ(all_fields_of(edited.faults), all_fields_of(whole.faults));
        EXPECT_EQ(edited.heal_at, whole.heal_at);
    }
}

TEST(LeavingOutAnInput, ChangesNoEventBeforeIt) {
    const scenario::Scenario scenario = test::load("scenarios/catalogue/order-fulfilment.yaml");
    const scenario::Plan plan = scenario::make_plan(scenario, 1);
    const scenario::RunResult whole = run_edited(scenario, {});
    for (const std::size_t index : {200U, 600U, 950U}) {
        const scenario::PlannedInput& input = plan.inputs.at(index);
        const scenario::RunResult edited = run_edited(scenario, {{input.input.number}, {}});
        EXPECT_NE(edited.digest, whole.digest) << "nothing was left out";
        EXPECT_GE(parting(whole, edited).time_since_epoch().count(),
                  input.at.time_since_epoch().count());
    }
}

TEST(LeavingOutAFault, ChangesNoEventBeforeIt) {
    const scenario::Scenario scenario = test::load("scenarios/catalogue/order-fulfilment.yaml");
    const scenario::Plan plan = scenario::make_plan(scenario, 1);
    const scenario::RunResult whole = run_edited(scenario, {});
    int tried = 0;
    for (std::size_t index = 0; index < plan.faults.size(); ++index) {
        const scenario::PlannedFault& fault = plan.faults[index];
        if (fault.trigger.when != sim::FaultTrigger::When::at || whole.faults[index].hits == 0)
            continue;
        if (fault.trigger.at < Instant(std::chrono::seconds(20)) || ++tried > 3) continue;
        const scenario::RunResult edited = run_edited(scenario, {{}, {fault.id}});
        EXPECT_NE(edited.digest, whole.digest) << fault.what;
        EXPECT_GE(parting(whole, edited).time_since_epoch().count(),
                  fault.trigger.at.time_since_epoch().count())
            << fault.what;
    }
    EXPECT_GE(tried, 3);
}

} // namespace
} // namespace crier
