// A plan is a function of scenario and seed, and what is left out moves nothing else.
#include "scenarios/load_scenario.hpp"
#include "scenarios/plan.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <tuple>

namespace crier::scenario {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Scenario order_fulfilment() {
    auto result = load_scenario(CRIER_SOURCE_DIR "/scenarios/catalogue/order-fulfilment.yaml",
                                stock_services());
    if (!result) ADD_FAILURE() << result.error().front().text();
    return result ? *result : Scenario{};
}

LoadSpec load_of(std::uint64_t per_minute, Duration length) {
    LoadSpec load;
    load.to = "shop";
    load.per_minute = per_minute;
    load.length = length;
    return load;
}

Scenario scenario_of(LoadSpec load) {
    Scenario scenario;
    scenario.load.push_back(std::move(load));
    return scenario;
}

auto fields_of(const PlannedInput& planned) {
    return std::tuple(planned.input.number, planned.input.id, planned.input.key,
                      planned.input.poison, planned.load, planned.at);
}

auto fields_of(const PlannedFault& fault) {
    return std::tuple(fault.id, fault.kind, fault.target.name, fault.one_way, fault.trigger.at,
                      fault.trigger.nth, fault.length, fault.amount, fault.what);
}

TEST(Plan, IsTheSameForTheSameSeedOnly) {
    const Scenario scenario = order_fulfilment();
    const Plan one = make_plan(scenario, 7);
    const Plan again = make_plan(scenario, 7);
    const Plan other = make_plan(scenario, 8);
    ASSERT_EQ(one.faults.size(), again.faults.size());
    for (std::size_t at = 0; at < one.faults.size(); ++at) {
        EXPECT_EQ(fields_of(one.faults[at]), fields_of(again.faults[at]));
    }
    EXPECT_NE(one.faults.front().trigger.at, other.faults.front().trigger.at);
}

TEST(Plan, LeavingSomethingOutMovesNothingElse) {
    const Scenario scenario = order_fulfilment();
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const Plan whole = make_plan(scenario, seed);
        PlanEdits edits;
        edits.without_inputs = {0, seed, 500 + seed};
        edits.without_faults = {whole.faults[seed % whole.faults.size()].id};
        const Plan edited = make_plan(scenario, seed, edits);
        EXPECT_EQ(edited.inputs.size() + 3, whole.inputs.size());
        EXPECT_EQ(edited.faults.size() + 1, whole.faults.size());
        EXPECT_EQ(edited.heal_at, whole.heal_at);
        EXPECT_EQ(edited.load_end, whole.load_end);
        auto input = whole.inputs.begin();
        for (const PlannedInput& kept : edited.inputs) {
            while (input->input.number != kept.input.number)
                ++input;
            ASSERT_EQ(fields_of(*input), fields_of(kept));
        }
        auto fault = whole.faults.begin();
        for (const PlannedFault& kept : edited.faults) {
            while (fault->id != kept.id)
                ++fault;
            ASSERT_EQ(fields_of(*fault), fields_of(kept));
        }
    }
}

TEST(Plan, HasOneThousandOrdersOfFortyCustomersAndALittlePoison) {
    const Scenario scenario = order_fulfilment();
    std::uint64_t poison = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Plan plan = make_plan(scenario, seed);
        EXPECT_EQ(plan.inputs.size(), 1000U);
        std::set<std::string> keys;
        for (const PlannedInput& planned : plan.inputs) {
            keys.insert(planned.input.key);
            poison += planned.input.poison ? 1U : 0U;
        }
        EXPECT_EQ(keys.size(), 40U);
        EXPECT_EQ(plan.inputs[17].input.id, "o-000017");
        EXPECT_EQ(plan.inputs[17].at, Instant(850ms));
    }
    EXPECT_GT(poison, 50U); // 100 are expected
    EXPECT_LT(poison, 200U);
}

TEST(Plan, KeepsFaultsInTheirLimits) {
    const Scenario scenario = order_fulfilment();
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const Plan plan = make_plan(scenario, seed);
        EXPECT_GT(plan.heal_at, plan.load_end);
        std::uint32_t last = 0;
        for (const PlannedFault& fault : plan.faults) {
            EXPECT_GT(fault.id, last);
            last = fault.id;
            const FaultRule& rule = scenario.faults[fault.id / 10'000 - 1];
            EXPECT_EQ(fault.kind, rule.kind);
            EXPECT_LE(fault.length, rule.length.high);
            EXPECT_GE(fault.amount, rule.amount_low);
            EXPECT_LE(fault.amount, rule.amount_high);
            EXPECT_GE(fault.trigger.nth, rule.nth_low);
            EXPECT_LE(fault.trigger.nth, rule.nth_high);
            if (rule.when != FaultRule::When::every) continue;
            EXPECT_LE(fault.trigger.at, plan.load_end);
            const bool over_by_itself = fault.kind == sim::FaultKind::clock_jump;
            if (!over_by_itself) {
                EXPECT_LT(fault.trigger.at + fault.length, plan.heal_at);
            }
        }
    }
}

TEST(Plan, NarrowsNamesToOneNodeAndReachesAll) {
    const Scenario scenario = order_fulfilment();
    std::set<std::string> crashed;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        for (const PlannedFault& fault : make_plan(scenario, seed).faults) {
            if (fault.id / 10'000 == 1) crashed.insert(fault.target.name);
            if (fault.kind == sim::FaultKind::full_disk) {
                EXPECT_THAT(fault.target.name, testing::EndsWith("-db"));
            }
        }
    }
    EXPECT_THAT(crashed, testing::ElementsAre("billing/1", "billing/2", "billing/3", "events/1",
                                              "events/2", "events/3", "relay/1", "relay/2",
                                              "shipping/1", "shipping/2", "shop/1"));
}

TEST(Plan, SaysFaultsInWords) {
    Scenario scenario = scenario_of(load_of(60, 10s));
    FaultRule crash;
    crash.targets = {{Target::Kind::name, "billing-db"}};
    crash.when = FaultRule::When::at;
    crash.at = 3s;
    crash.length = {2s, 2s};
    FaultRule lost = crash;
    lost.kind = sim::FaultKind::lose_answer;
    lost.at = {};
    lost.targets = {{Target::Kind::leader_of, "orders/0"}};
    lost.when = FaultRule::When::call;
    lost.call = "produce";
    lost.nth_low = lost.nth_high = 17;
    FaultRule cut = crash;
    cut.kind = sim::FaultKind::partition;
    cut.one_way = true;
    cut.peers = {{Target::Kind::name, "events"}};
    scenario.faults = {crash, lost, cut};
    const Plan plan = make_plan(scenario, 1);
    ASSERT_EQ(plan.faults.size(), 3U);
    EXPECT_EQ(plan.faults[0].what, "crash billing-db for 2s");
    EXPECT_EQ(plan.faults[1].what, "lose the answer to produce 17 of the leader of orders/0");
    EXPECT_EQ(plan.faults[2].what, "cut the link from billing-db to events for 2s");
    EXPECT_EQ(plan.heal_at,
              Instant(13s)); // the load's end, the longest that an untimed one takes, a moment
}

TEST(Plan, ArrivesInBursts) {
    LoadSpec load = load_of(600, 10s);
    load.arrival = Arrival::bursts;
    load.burst = 25;
    const Plan plan = make_plan(scenario_of(load), 1);
    ASSERT_EQ(plan.inputs.size(), 100U);
    EXPECT_EQ(plan.inputs[24].at, Instant{});
    EXPECT_EQ(plan.inputs[25].at, Instant(2500ms));
    EXPECT_EQ(plan.inputs[99].at, Instant(7500ms));
}

TEST(Plan, ArrivesAsAPoissonProcessOfThatRate) {
    LoadSpec load = load_of(6000, 60s);
    load.arrival = Arrival::poisson;
    load.start = 5s;
    const Plan plan = make_plan(scenario_of(load), 1);
    EXPECT_GT(plan.inputs.size(), 5700U); // 6,000 are expected, with a deviation of 77
    EXPECT_LT(plan.inputs.size(), 6300U);
    EXPECT_GE(plan.inputs.front().at, Instant(5s));
    EXPECT_LT(plan.inputs.back().at, plan.load_end);
    std::uint64_t close = 0; // of exponential distances 39% are below half of the mean
    for (std::size_t at = 1; at < plan.inputs.size(); ++at) {
        if (plan.inputs[at].at - plan.inputs[at - 1].at < 5ms) ++close;
    }
    EXPECT_NEAR(static_cast<double>(close) / static_cast<double>(plan.inputs.size()), 0.39, 0.03);
}

TEST(Plan, SkewsKeys) {
    LoadSpec load = load_of(6000, 60s);
    load.keys = 5;
    load.skew = 80;
    const Plan plan = make_plan(scenario_of(load), 1);
    std::map<std::string, int> keys;
    for (const PlannedInput& planned : plan.inputs)
        ++keys[planned.input.key];
    EXPECT_EQ(keys.size(), 5U);
    EXPECT_NEAR(keys["customer-1"], 4800, 150);
    EXPECT_NEAR(keys["customer-5"], 300, 70);
}

} // namespace
} // namespace crier::scenario
