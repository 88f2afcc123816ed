// Draws inputs and faults. The invariant: every draw is keyed by what it decides (load and input
// number, or rule and occurrence), and what is left out is drawn all the same, so that an edit
// moves nothing else.
#include "scenarios/plan.hpp"

#include "scenarios/load_units.hpp"
#include "sim/hash.hpp"

#include <algorithm>
#include <tuple>

namespace crier::scenario {

namespace {

constexpr Duration length_max_after_load = std::chrono::seconds(10); // of drawn faults
constexpr Duration heal_delay = std::chrono::seconds(1);
constexpr std::uint32_t ids_per_rule = 10'000; // rule 2, third occurrence: 20003

constexpr sim::Purpose gap{"plan.input.gap"};
constexpr sim::Purpose key_of{"plan.input.key"};
constexpr sim::Purpose poison_of{"plan.input.poison"};
constexpr sim::Purpose distance{"plan.fault.distance"};
constexpr sim::Purpose target_of{"plan.fault.target"};
constexpr sim::Purpose replica_of{"plan.fault.replica"};
constexpr sim::Purpose length_of{"plan.fault.length"};
constexpr sim::Purpose amount_of{"plan.fault.amount"};
constexpr sim::Purpose nth_of{"plan.fault.nth"};

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

/// Returns a drawn number in [low, high].
std::int64_t number_between(sim::Draw draw, std::int64_t low, std::int64_t high) {
    const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
    return low + static_cast<std::int64_t>(draw.below(span));
}

/// Returns a drawn duration in [low, high], in whole milliseconds where they fit: people read it.
Duration duration_between(sim::Draw draw, Duration low, Duration high) {
    const Duration exact = draw.between(low, high);
    const Duration rounded = std::chrono::duration_cast<std::chrono::milliseconds>(exact);
    return rounded >= low && rounded <= high ? rounded : exact;
}

/// Draws the faults of one rule.
class RulePlanner {
public:
    RulePlanner(const Scenario& scenario, const sim::Random& random, std::size_t index,
                Instant load_end)
        : scenario_(scenario), random_(random), index_(index), rule_(scenario.faults[index]),
          load_end_(load_end) {}

    void plan(std::vector<PlannedFault>& faults) const {
        if (rule_.targets.empty()) return;
        if (rule_.when != FaultRule::When::every) {
            faults.push_back(occurrence(0, Instant(rule_.at)));
            return;
        }
        Instant at{};
        for (std::uint32_t number = 0; number + 1 < ids_per_rule; ++number) {
            const sim::Draw draw = random_.draw(distance, index_, number);
            at += duration_between(draw, rule_.every / 2, rule_.every + rule_.every / 2);
            if (at > load_end_) return;
            faults.push_back(occurrence(number, at));
        }
    }

private:
    [[nodiscard]] PlannedFault occurrence(std::uint32_t number, Instant at) const {
        PlannedFault fault;
        fault.id = static_cast<std::uint32_t>(index_ + 1) * ids_per_rule + number + 1;
        fault.kind = rule_.kind;
        fault.target = narrowed(number);
        fault.peers = rule_.peers;
        fault.one_way = rule_.one_way;
        const sim::Draw length = random_.draw(length_of, index_, number);
        fault.length = duration_between(length, rule_.length.low, rule_.length.high);
        // A drawn fault does not outlast the load for long, or the run would only wait for it.
        if (rule_.when == FaultRule::When::every) {
            fault.length = std::min(fault.length, load_end_ - at + length_max_after_load);
        }
        fault.amount = amount(number);
        set_trigger(number, at, fault.trigger);
        fault.what = in_words(fault);
        return fault;
    }

    /// Returns the target that is drawn, as one node where its nodes have numbers.
    [[nodiscard]] Target narrowed(std::uint32_t number) const {
        const std::uint64_t drawn =
            random_.draw(target_of, index_, number).below(rule_.targets.size());
        Target target = rule_.targets[drawn];
        if (target.kind != Target::Kind::name) return target;
        std::uint64_t members = 0;
        for (const ServiceSpec& service : scenario_.services) {
            if (service.name == target.name) members = static_cast<std::uint64_t>(service.replicas);
        }
        for (const BrokerSpec& broker : scenario_.brokers) {
            if (broker.name == target.name)
                members = static_cast<std::uint64_t>(broker.kafka.nodes);
        }
        if (members == 0) return target;
        const std::uint64_t member = random_.draw(replica_of, index_, number).below(members);
        target.name += "/" + std::to_string(member + 1);
        return target;
    }

    [[nodiscard]] std::int64_t amount(std::uint32_t number) const {
        const sim::Draw draw = random_.draw(amount_of, index_, number);
        if (rule_.kind == sim::FaultKind::clock_jump) {
            return duration_between(draw, Duration(rule_.amount_low), Duration(rule_.amount_high))
                .count();
        }
        return number_between(draw, rule_.amount_low, rule_.amount_high);
    }

    void set_trigger(std::uint32_t number, Instant at, sim::FaultTrigger& trigger) const {
        using When = sim::FaultTrigger::When;
        const sim::Draw draw = random_.draw(nth_of, index_, number);
        switch (rule_.when) {
        case FaultRule::When::at:
        case FaultRule::When::every:
            trigger.when = When::at;
            trigger.at = at;
            return;
        case FaultRule::When::call:
            trigger.when = When::call;
            trigger.name = rule_.call;
            break;
        case FaultRule::When::point:
            trigger.when = When::point;
            trigger.name = rule_.point;
            break;
        }
        trigger.nth =
            static_cast<std::uint32_t>(number_between(draw, rule_.nth_low, rule_.nth_high));
    }

    [[nodiscard]] static std::string words_for(const Target& target) {
        switch (target.kind) {
        case Target::Kind::leader_of: return "the leader of " + target.name;
        case Target::Kind::coordinator_of: return "the coordinator of " + target.name;
        case Target::Kind::name: break;
        }
        return target.name;
    }

    [[nodiscard]] static std::string peers_in_words(const PlannedFault& fault) {
        if (fault.peers.empty()) return "everybody else";
        std::string words;
        for (const Target& peer : fault.peers) {
            const bool is_own = fault.target.name.starts_with(peer.name + "/");
            words += (words.empty() ? "" : ", ") + std::string(is_own ? "the rest of " : "") +
                     words_for(peer);
        }
        return words;
    }

    /// Returns the `nth` call or point as `produce 17`; empty for a time.
    [[nodiscard]] static std::string moment(const PlannedFault& fault) {
        if (fault.trigger.when == sim::FaultTrigger::When::at) return "";
        return fault.trigger.name + " " + std::to_string(fault.trigger.nth);
    }

    [[nodiscard]] static std::string in_words(const PlannedFault& fault) {
        const std::string whom = words_for(fault.target);
        const std::string link = fault.one_way
                                     ? "from " + whom + " to " + peers_in_words(fault)
                                     : "between " + whom + " and " + peers_in_words(fault);
        const std::string lasting =
            fault.length > Duration{} ? " for " + duration_text(fault.length) : "";
        const std::string share = share_text(
            sim::Probability{static_cast<std::uint32_t>(std::max<std::int64_t>(0, fault.amount))});
        const std::string times = std::to_string(fault.amount) + " times as slow";
        const std::string call = moment(fault);
        const std::string when = call.empty() ? "" : " at its " + call;
        switch (fault.kind) {
        case sim::FaultKind::crash: return "crash " + whom + lasting + when;
        case sim::FaultKind::power_loss: return "cut the power of " + whom + lasting + when;
        case sim::FaultKind::pause: return "pause " + whom + lasting + when;
        case sim::FaultKind::partition: return "cut the link " + link + lasting + when;
        case sim::FaultKind::slow_link:
            return "make the link " + link + " " + times + lasting + when;
        case sim::FaultKind::lossy_link: return "lose " + share + " " + link + lasting + when;
        case sim::FaultKind::reset: return "reset the connections " + link + when;
        case sim::FaultKind::clock_jump:
            return "set the clock of " + whom + " off by " + duration_text(Duration(fault.amount)) +
                   lasting + when;
        case sim::FaultKind::slow_disk:
            return "make the disk of " + whom + " " + times + lasting + when;
        case sim::FaultKind::full_disk: return "fill the disk of " + whom + lasting + when;
        case sim::FaultKind::drop_request: return "drop " + call + " of " + whom;
        case sim::FaultKind::lose_answer: return "lose the answer to " + call + " of " + whom;
        case sim::FaultKind::delay_call:
            return "delay " + call + " of " + whom + " by " + duration_text(fault.length);
        }
        return "do something to " + whom;
    }

    const Scenario& scenario_;
    const sim::Random& random_;
    std::size_t index_;
    const FaultRule& rule_;
    Instant load_end_;
};

/// Returns when all faults are over: those that wait for a call or point may begin until the end of
/// the load, and the world does not wait longer for them than for drawn ones.
Instant heal_time(const Plan& plan) {
    Instant end = plan.load_end;
    for (const PlannedFault& fault : plan.faults) {
        const bool is_timed = fault.trigger.when == sim::FaultTrigger::When::at;
        const Duration length =
            is_timed ? fault.length : std::min(fault.length, length_max_after_load);
        const bool stays = fault.kind == sim::FaultKind::clock_jump; // nobody waits for a clock
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
        RulePlanner(scenario, random, index, plan.load_end).plan(plan.faults);
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
