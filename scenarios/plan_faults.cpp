// Draws faults. The invariant: every draw is keyed by rule and occurrence, and by the part of a
// story, so that what is left out moves nothing else.
#include "scenarios/plan_faults.hpp"

#include <algorithm>

namespace crier::scenario {

namespace {

constexpr std::uint32_t ids_per_rule = 10'000; // rule 2, third occurrence: 20003
constexpr std::uint32_t parts_per_story = 50;  // rule 2, third story: 20101 and on
constexpr std::uint32_t stories_per_rule = ids_per_rule / parts_per_story;

constexpr sim::Purpose distance{"plan.fault.distance"};
constexpr sim::Purpose target_of{"plan.fault.target"};
constexpr sim::Purpose replica_of{"plan.fault.replica"};
constexpr sim::Purpose length_of{"plan.fault.length"};
constexpr sim::Purpose amount_of{"plan.fault.amount"};
constexpr sim::Purpose nth_of{"plan.fault.nth"};

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
        const bool is_call_fault = rule_.when == FaultRule::When::call;
        if (rule_.targets.empty() && !is_call_fault) return;
        if (rule_.every == Duration{}) {
            add(0, Instant(rule_.at), faults);
            return;
        }
        Instant at{};
        const std::uint32_t most = rule_.story == Story::none ? ids_per_rule - 1 : stories_per_rule;
        for (std::uint32_t number = 0; number < most; ++number) {
            const sim::Draw draw = random_.draw(distance, index_, number);
            at += duration_between(draw, rule_.every / 2, rule_.every + rule_.every / 2);
            if (at > load_end_) return;
            add(number, at, faults);
        }
    }

private:
    void add(std::uint32_t number, Instant at, std::vector<PlannedFault>& faults) const {
        const PlannedFault first = occurrence(number, at);
        std::vector<PlannedFault> parts;
        switch (rule_.story) {
        case Story::none: faults.push_back(first); return;
        case Story::rebalance_storm: parts = storm(first, number); break;
        case Story::rolling_deploy: parts = deploy(first); break;
        case Story::slow_broker: parts = slowness(first); break;
        case Story::zombie: parts = {frozen(first, number)}; break;
        case Story::leader_change:
        case Story::coordinator_move:
        case Story::add_partitions:
        case Story::recreate_topic:
        case Story::fail_over:
        case Story::old_log: parts = {first}; break;
        }
        for (std::size_t part = 0; part < parts.size() && part < parts_per_story; ++part) {
            parts[part].id = static_cast<std::uint32_t>(index_ + 1) * ids_per_rule +
                             number * parts_per_story + static_cast<std::uint32_t>(part) + 1;
            parts[part].what = in_words(parts[part]);
            faults.push_back(std::move(parts[part]));
        }
    }

    /// A member of the group goes and comes back every few seconds.
    [[nodiscard]] std::vector<PlannedFault> storm(const PlannedFault& first,
                                                  std::uint32_t number) const {
        std::vector<PlannedFault> parts;
        Duration after{};
        while (after < first.length && parts.size() < parts_per_story) {
            const std::uint64_t part = parts.size();
            PlannedFault one = first;
            one.trigger.at = first.trigger.at + after;
            const sim::Draw replica = random_.draw(replica_of, index_, number, part + 1);
            one.target.name = sibling(first, replica.below(replicas_of(first)) + 1);
            const sim::Draw down = random_.draw(length_of, index_, number, part + 1);
            one.length =
                duration_between(down, std::chrono::milliseconds(500), std::chrono::seconds(2));
            after += one.length + duration_between(down.next(0), std::chrono::seconds(1),
                                                   std::chrono::seconds(4));
            parts.push_back(std::move(one));
        }
        return parts;
    }

    /// Each replica goes and comes back, the next a little after the one before has come back.
    [[nodiscard]] std::vector<PlannedFault> deploy(const PlannedFault& first) const {
        std::vector<PlannedFault> parts;
        Instant at = first.trigger.at;
        for (std::uint64_t replica = 1; replica <= replicas_of(first); ++replica) {
            PlannedFault one = first;
            one.target.name = sibling(first, replica);
            one.trigger.at = at;
            at += first.length + std::chrono::seconds(2);
            parts.push_back(std::move(one));
        }
        return parts;
    }

    [[nodiscard]] static std::vector<PlannedFault> slowness(const PlannedFault& first) {
        PlannedFault disk = first;
        disk.kind = sim::FaultKind::slow_disk;
        return {first, disk};
    }

    /// Silent for a session and a little longer: the group has given its partitions away by then.
    [[nodiscard]] PlannedFault frozen(const PlannedFault& first, std::uint32_t number) const {
        PlannedFault one = first;
        Duration session = kafka::ConsumerOptions().session_timeout;
        for (const ServiceSpec& service : scenario_.services) {
            const auto option = service.options.find("session-timeout");
            if (!first.target.name.starts_with(service.name + "/") ||
                option == service.options.end())
                continue;
            session = std::get<Duration>(option->second);
        }
        const sim::Draw more = random_.draw(length_of, index_, number);
        one.length =
            session + duration_between(more, std::chrono::seconds(1), std::chrono::seconds(6));
        return one;
    }

    /// Returns how many replicas the service has of which the target is one.
    [[nodiscard]] std::uint64_t replicas_of(const PlannedFault& fault) const {
        for (const ServiceSpec& service : scenario_.services) {
            if (fault.target.name.starts_with(service.name + "/"))
                return static_cast<std::uint64_t>(service.replicas);
        }
        return 1;
    }

    /// Returns the name of another replica of the same service.
    [[nodiscard]] static std::string sibling(const PlannedFault& fault, std::uint64_t replica) {
        const std::string& name = fault.target.name;
        return name.substr(0, name.rfind('/') + 1) + std::to_string(replica);
    }

    [[nodiscard]] PlannedFault occurrence(std::uint32_t number, Instant at) const {
        PlannedFault fault;
        fault.id = static_cast<std::uint32_t>(index_ + 1) * ids_per_rule + number + 1;
        fault.name = rule_.name.empty() ? sim::name_of(rule_.kind) : rule_.name;
        fault.kind = rule_.kind;
        fault.story = rule_.story;
        fault.error = rule_.error;
        fault.target = narrowed(number);
        fault.peers = rule_.peers;
        fault.one_way = rule_.one_way;
        const sim::Draw length = random_.draw(length_of, index_, number);
        fault.length = duration_between(length, rule_.length.low, rule_.length.high);
        // A drawn fault does not outlast the load for long, or the run would only wait for it.
        if (rule_.when == FaultRule::When::every && rule_.story != Story::rebalance_storm) {
            fault.length = std::min(fault.length, load_end_ - at + length_max_after_load);
        }
        fault.amount = amount(number);
        set_trigger(number, at, fault.trigger);
        fault.what = in_words(fault);
        return fault;
    }

    /// Returns the target that is drawn, as one node where its nodes have numbers.
    [[nodiscard]] Target narrowed(std::uint32_t number) const {
        if (rule_.targets.empty()) return {}; // everybody's calls
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
        for (const DatabaseSpec& database : scenario_.databases) {
            const bool is_drawn =
                database.replica != broker::Replication::none && rule_.story != Story::fail_over;
            if (database.name == target.name && is_drawn) members = 2;
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
            trigger.at = at;
            trigger.about = rule_.about;
            trigger.chance = rule_.chance;
            trigger.strikes = static_cast<std::uint32_t>(
                number_between(draw.next(0), rule_.strikes_low, rule_.strikes_high));
            trigger.window = duration_between(draw.next(1), rule_.window.low, rule_.window.high);
            break;
        case FaultRule::When::point:
            trigger.when = When::point;
            trigger.name = rule_.point;
            break;
        }
        trigger.nth =
            static_cast<std::uint32_t>(number_between(draw, rule_.nth_low, rule_.nth_high));
    }

    const Scenario& scenario_;
    const sim::Random& random_;
    std::size_t index_;
    const FaultRule& rule_;
    Instant load_end_;
};

} // namespace

void plan_faults(const Scenario& scenario, const sim::Random& random, std::size_t rule,
                 Instant load_end, std::vector<PlannedFault>& faults) {
    RulePlanner(scenario, random, rule, load_end).plan(faults);
}

} // namespace crier::scenario
