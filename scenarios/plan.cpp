// Draws inputs and faults. The invariant: every draw is keyed by what it decides (load and input
// number, or rule and occurrence), and what is left out is drawn all the same, so that an edit
// moves nothing else.
#include "scenarios/plan.hpp"

#include "scenarios/plan_faults.hpp"
#include "sim/hash.hpp"

#include <algorithm>
#include <tuple>

namespace crier::scenario {

namespace {

constexpr Duration heal_delay = std::chrono::seconds(1);

constexpr sim::Purpose gap{"plan.input.gap"};
constexpr sim::Purpose key_of{"plan.input.key"};
constexpr sim::Purpose poison_of{"plan.input.poison"};

/// Returns how long `count` inputs take at that rate.
Duration time_for(std::uint64_t count, std::uint64_t per_minute) {
    constexpr auto minute = static_cast<std::uint64_t>(Duration(std::chrono::minutes(1)).count());
    const sim::UnsignedWide wide = static_cast<sim::UnsignedWide>(count) * minute / per_minute;
    return Duration(static_cast<std::int64_t>(wide));
}

std::string input_id(std::uint64_t number) {
    std::string digits = std::to_string(number);
    if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
    return "o-" + digits;
}

std::string input_key(const sim::Random& random, const LoadSpec& load, std::uint64_t index,
                      std::uint64_t at) {
    const sim::Draw draw = random.draw(key_of, index, at);
    std::uint64_t key = 1;
    if (load.skew == 0) {
        key = 1 + draw.below(load.keys);
    } else if (load.keys > 1 && !draw.happens({load.skew * 10'000})) {
        key = 2 + draw.next(0).below(load.keys - 1);
    }
    return "customer-" + std::to_string(key);
}

/// Appends the inputs of one load, numbered on from those that are there.
void plan_load(const sim::Random& random, const LoadSpec& load, std::size_t index,
               std::vector<PlannedInput>& inputs) {
    Duration poisson{};
    const Duration mean = time_for(1, load.per_minute);
    for (std::uint64_t at = 0;; ++at) {
        Duration offset{};
        switch (load.arrival) {
        case Arrival::constant: offset = time_for(at, load.per_minute); break;
        case Arrival::bursts: offset = time_for(at - at % load.burst, load.per_minute); break;
        case Arrival::poisson:
            poisson += std::max(Duration(1), random.draw(gap, index, at).exponential(mean));
            offset = poisson;
            break;
        }
        if (offset >= load.length) return;
        PlannedInput planned;
        planned.load = index;
        planned.at = Instant(load.start + offset);
        planned.input.number = inputs.size();
        planned.input.id = input_id(planned.input.number);
        planned.input.key = input_key(random, load, index, at);
        planned.input.poison = random.draw(poison_of, index, at).happens(load.poison);
        inputs.push_back(std::move(planned));
    }
}

/// Returns when all faults are over: those that wait for a call or point may begin until the end of
/// the load, and the world does not wait longer for them than for drawn ones.
Instant heal_time(const Plan& plan) {
    Instant end = plan.load_end;
    for (const PlannedFault& fault : plan.faults) {
        const bool is_timed = fault.trigger.when == sim::FaultTrigger::When::at;
        const Duration length =
            is_timed ? fault.length : std::min(fault.length, length_max_after_load);
        const bool stays = fault.kind == sim::FaultKind::clock_jump; // nobody waits for a clock
        end = std::max(end, fault.trigger.at + fault.trigger.window);
        end = std::max(end, (is_timed ? fault.trigger.at : plan.load_end) +
                                (stays ? Duration{} : length));
    }
    return plan.faults.empty() ? end : end + heal_delay;
}

} // namespace

Plan make_plan(const Scenario& scenario, std::uint64_t seed, const PlanEdits& edits) {
    const sim::Random random(seed);
    Plan plan;
    plan.seed = seed;
    for (std::size_t index = 0; index < scenario.load.size(); ++index) {
        const LoadSpec& load = scenario.load[index];
        plan.load_end = std::max(plan.load_end, Instant(load.start + load.length));
        plan_load(random, load, index, plan.inputs);
    }
    for (std::size_t index = 0; index < scenario.faults.size(); ++index) {
        plan_faults(scenario, random, index, plan.load_end, plan.faults);
    }
    plan.heal_at = heal_time(plan);
    std::erase_if(plan.inputs, [&edits](const PlannedInput& planned) {
        return std::binary_search(edits.without_inputs.begin(), edits.without_inputs.end(),
                                  planned.input.number);
    });
    std::erase_if(plan.faults, [&edits](const PlannedFault& fault) {
        return std::binary_search(edits.without_faults.begin(), edits.without_faults.end(),
                                  fault.id);
    });
    std::sort(plan.inputs.begin(), plan.inputs.end(),
              [](const PlannedInput& a, const PlannedInput& b) {
                  return std::tuple(a.at, a.input.number) < std::tuple(b.at, b.input.number);
              });
    return plan;
}

} // namespace crier::scenario
