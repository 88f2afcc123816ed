// Planned faults in words, as reports and histories have them.
#include "scenarios/load_units.hpp"
#include "scenarios/plan_faults.hpp"

#include <algorithm>

namespace crier::scenario {

namespace {

std::string words_for(const Target& target) {
    switch (target.kind) {
    case Target::Kind::leader_of: return "the leader of " + target.name;
    case Target::Kind::coordinator_of: return "the coordinator of " + target.name;
    case Target::Kind::channel:
    case Target::Kind::name: break;
    }
    return target.name;
}

std::string peers_in_words(const PlannedFault& fault) {
    if (fault.peers.empty()) return "everybody else";
    std::string words;
    for (const Target& peer : fault.peers) {
        const bool is_own = fault.target.name.starts_with(peer.name + "/");
        words += (words.empty() ? "" : ", ") + std::string(is_own ? "the rest of " : "") +
                 words_for(peer);
    }
    return words;
}

/// Returns which calls it befalls: `produce 17 of relay/1`, `every fetch of orders`.
std::string calls_in_words(const PlannedFault& fault) {
    const sim::FaultTrigger& trigger = fault.trigger;
    const std::string first = std::to_string(trigger.nth);
    std::string words = trigger.name + " " + first;
    if (trigger.strikes > 1) {
        words += " to " + std::to_string(trigger.nth + trigger.strikes - 1);
    } else if (trigger.strikes == 0) {
        const bool is_certain = trigger.chance.per_million == 1'000'000;
        words = (is_certain ? "every " : share_text(trigger.chance) + " of each ") + trigger.name +
                (trigger.nth > 1 ? " from " + first + " on" : "");
    }
    for (const std::string& name : trigger.about)
        words += " about " + name;
    if (!fault.peers.empty()) {
        words += " between " + words_for(fault.target) + " and " + peers_in_words(fault);
    } else if (!fault.target.name.empty()) {
        words += " of " + words_for(fault.target);
    }
    return words;
}

/// Returns when calls begin to count and how long they do; empty for the whole run.
std::string span_in_words(const PlannedFault& fault) {
    const sim::FaultTrigger& trigger = fault.trigger;
    std::string words;
    if (trigger.at > Instant{}) words += " from " + duration_text(trigger.at.time_since_epoch());
    if (trigger.window > Duration{}) words += " for " + duration_text(trigger.window);
    return words;
}

/// Returns the `nth` call or point as ` at its produce 17`; empty for a time.
std::string moment(const PlannedFault& fault) {
    const sim::FaultTrigger& trigger = fault.trigger;
    if (trigger.when == sim::FaultTrigger::When::at) return "";
    std::string words = " at its " + trigger.name + " " + std::to_string(trigger.nth);
    for (const std::string& name : trigger.about)
        words += " about " + name;
    return words;
}

std::string act_in_words(const PlannedFault& fault) {
    if (fault.story == Story::add_partitions) {
        return "give " + fault.target.name + " " + std::to_string(fault.amount) + " partitions";
    }
    if (fault.story == Story::recreate_topic) {
        return "delete " + fault.target.name + " and make it anew";
    }
    if (fault.story == Story::fail_over) {
        return "kill the primary of " + fault.target.name + " for " + duration_text(fault.length) +
               " and promote its replica";
    }
    return fault.story == Story::leader_change ? "give " + fault.target.name + " another leader"
                                               : "move " + words_for(fault.target);
}

} // namespace

std::string in_words(const PlannedFault& fault) {
    const std::string whom = words_for(fault.target);
    const std::string link = fault.one_way ? "from " + whom + " to " + peers_in_words(fault)
                                           : "between " + whom + " and " + peers_in_words(fault);
    const std::string lasting =
        fault.length > Duration{} ? " for " + duration_text(fault.length) : "";
    const std::string share = share_text(
        sim::Probability{static_cast<std::uint32_t>(std::max<std::int64_t>(0, fault.amount))});
    const std::string times = std::to_string(fault.amount) + " times as slow";
    const std::string when = moment(fault);
    switch (fault.kind) {
    case sim::FaultKind::crash: return "crash " + whom + lasting + when;
    case sim::FaultKind::power_loss:
        return "cut the power of " + whom + lasting + when +
               (fault.story == Story::old_log ? ", with all that it has not flushed" : "");
    case sim::FaultKind::stop: return "stop " + whom + lasting + when;
    case sim::FaultKind::pause: return "pause " + whom + lasting + when;
    case sim::FaultKind::partition: return "cut the link " + link + lasting + when;
    case sim::FaultKind::slow_link: return "make the link " + link + " " + times + lasting + when;
    case sim::FaultKind::lossy_link: return "lose " + share + " " + link + lasting + when;
    case sim::FaultKind::reset: return "reset the connections " + link + when;
    case sim::FaultKind::clock_jump:
        return "set the clock of " + whom + " off by " + duration_text(Duration(fault.amount)) +
               lasting + when;
    case sim::FaultKind::slow_disk:
        return "make the disk of " + whom + " " + times + lasting + when;
    case sim::FaultKind::full_disk: return "fill the disk of " + whom + lasting + when;
    case sim::FaultKind::failing_disk: return "make the disk of " + whom + " fail" + lasting + when;
    case sim::FaultKind::drop_request:
        return "drop " + calls_in_words(fault) + span_in_words(fault);
    case sim::FaultKind::lose_answer:
        return "lose the answer to " + calls_in_words(fault) + span_in_words(fault);
    case sim::FaultKind::delay_call:
        return "delay " + calls_in_words(fault) + " by " + duration_text(fault.length) +
               span_in_words(fault);
    case sim::FaultKind::fail_call:
        return "answer " + calls_in_words(fault) + " with " + fault.error + span_in_words(fault);
    case sim::FaultKind::stale_answer:
        return "answer " + calls_in_words(fault) + " with what was before" + span_in_words(fault);
    case sim::FaultKind::act: return act_in_words(fault);
    }
    return "do something to " + whom;
}

} // namespace crier::scenario
