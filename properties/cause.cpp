#include "properties/cause.hpp"

#include "broker-model/events.hpp"
#include "properties/describe.hpp"
#include "properties/evidence.hpp"
#include "properties/routes.hpp"
#include "sim/events.hpp"

#include <algorithm>

namespace crier::properties {

namespace {

using sim::Event;

/// What the rules look at.
struct Case {
    const Verdict& verdict;
    std::span<const sim::Event> history;
    const sim::TextTable& texts;
    std::span<const std::string> names;
    const Evidence& main;
    const Evidence* other = nullptr;    ///< Of the second subject, if there is one.
    std::vector<std::uint64_t>& events; ///< Gets what the cause speaks of.

    [[nodiscard]] std::string node(const Event& event) const {
        events.push_back(event.sequence);
        return format_node(event.node, names);
    }
    [[nodiscard]] std::string text(std::uint64_t hash) const { return format_text(hash, texts); }
};

const Event* settled_as(const Case& facts, std::uint64_t fate) {
    const Event* last = nullptr;
    for (const Event* event : facts.main.settled) {
        if (event->operands[1] == fate) last = event;
    }
    return last;
}

std::string not_published(const Case& facts) {
    if (const Event* death = death_of_publisher(facts.main)) {
        return "its transaction was committed, and " + facts.node(*death) +
               " died before it was published";
    }
    const Overtaker overtaker = overtaker_of(facts.history, facts.main);
    if (overtaker.copy != nullptr) {
        facts.events.push_back(overtaker.row->sequence);
        facts.events.push_back(overtaker.copy->sequence);
        return "its transaction was committed, and it was passed over: " +
               facts.text(overtaker.row->operands[1]) +
               ", which was committed later, was published";
    }
    const std::string nothing =
        "its transaction was committed, and nothing published it afterwards";
    if (const Event* reset = reset_before_row(facts.history, facts.main)) {
        facts.events.push_back(reset->sequence);
        const bool is_first = reset->operands[0] == facts.main.rows.back()->node;
        const auto publisher = static_cast<std::uint32_t>(reset->operands[is_first ? 1 : 0]);
        return nothing + ": " + format_node(publisher, facts.names) +
               " had just lost its connection to the database";
    }
    return nothing;
}

/// A commit has passed the message before its effect was durable.
std::string committed_too_early(const Case& facts) {
    const Event& commit = *facts.main.commits.front();
    const Event* handler = last_before(facts.main.deliveries, commit.sequence);
    if (handler == nullptr) {
        return "the offset was committed past it although it was never received";
    }
    const std::string early = "the offset was committed before the effect was durable";
    if (const Event* death = first_after(facts.main.deaths, commit.sequence, handler->node)) {
        const Event* effect = first_after(facts.main.effects, commit.sequence);
        if (effect == nullptr || death->sequence < effect->sequence) {
            return early + ", and " + facts.node(*death) + " died in between";
        }
    }
    const Event* failure = last_before(facts.main.failures, commit.sequence);
    if (failure != nullptr) {
        return "the offset was committed although its attempts had failed";
    }
    for (const Event* move : facts.main.moves) {
        const bool taken = move->kind != broker::events::assigned.id && move->node == handler->node;
        if (taken && move->sequence > commit.sequence) {
            return early + ", and " + facts.node(*handler) + " lost the partition in between";
        }
    }
    return early;
}

/// Tells of a row that is gone because a replica that lacked it was promoted; empty: it is not.
std::string never_replicated(const Case& facts, const Event& gone, const std::string& what) {
    if (gone.operands[2] == 0) return {};
    for (const Event& event : facts.history) {
        if (event.sequence >= gone.sequence) break;
        const bool is_it = event.kind == broker::events::promoted.id && event.time == gone.time &&
                           event.node == gone.node;
        if (is_it) facts.events.push_back(event.sequence);
    }
    return what + " that the replica did not have yet: the fail-over to " + facts.node(gone) +
           " took it back";
}

std::string lost(const Case& facts) {
    const FateTexts fates;
    const Evidence& main = facts.main;
    if (!main.effects.empty() && !main.letters.empty()) {
        return "its effect and its parking do not exclude each other";
    }
    if (!main.effects_lost.empty()) {
        const std::string by_promotion =
            never_replicated(facts, *main.effects_lost.back(), "its effect was in a commit");
        if (!by_promotion.empty()) return by_promotion;
        return "a power loss took back an effect that had been committed";
    }
    if (main.stored.empty()) return not_published(facts);
    if (const Event* parked = settled_as(facts, fates.parked); parked && main.letters.empty()) {
        std::string cause = facts.node(*parked) +
                            " went on before its dead letter was stored, and the dead letter "
                            "never came";
        if (const Event* death = first_after(main.deaths, parked->sequence, parked->node)) {
            cause += ": " + facts.node(*death) + " died in between";
        }
        return cause;
    }
    const Event* duplicate = settled_as(facts, fates.duplicate);
    if (duplicate != nullptr && main.effects.empty()) {
        return facts.node(*duplicate) +
               " took it for a duplicate, but its effect was never durable: remembering it and "
               "its effect are not one transaction";
    }
    // What is handed out at its offset after that is another.
    const bool is_lost = !main.losses.empty() &&
                         first_after(main.stored, main.losses.front()->sequence, {}) == nullptr;
    const bool was_received =
        is_lost && last_before(main.deliveries, main.losses.front()->sequence) != nullptr;
    if (is_lost && !was_received) {
        const bool is_deleted = main.losses.front()->kind == broker::events::partition_deleted.id;
        return is_deleted ? "its topic was deleted before anybody received it"
                          : "the log lost it after it was stored";
    }
    if (main.deliveries.empty()) {
        if (!main.earlier_commits.empty()) {
            return "the log had lost records, and it was stored anew at an offset that " +
                   facts.text(main.earlier_commits.back()->operands[1]) + " had committed before";
        }
        if (!main.resets.empty()) {
            const Event& reset = *main.resets.front();
            return facts.node(reset) +
                   " had no committed offset to begin at and began behind it "
                   "(offset-reset: " +
                   facts.text(reset.operands[3]) + ")";
        }
    }
    if (!main.commits.empty()) return committed_too_early(facts);
    if (const Event* done = settled_as(facts, fates.done)) {
        return facts.node(*done) + " called it done without a durable effect";
    }
    if (main.deliveries.empty()) return "it is in the log, and nobody has received it";
    return "it was received and not finished, and it did not come again before the end";
}

std::string twice(const Case& facts) {
    const Evidence& main = facts.main;
    if (main.effects.size() < 2) return "nothing remembered the first time";
    const Event& first = *main.effects.front();
    const Event& second = *main.effects[1];
    const Event* before = last_before(main.attempts, first.sequence);
    const Event* again = last_before(main.attempts, second.sequence);
    if (before != nullptr && again != nullptr) {
        const auto happened = [&](const Evidence::Events& events, std::uint64_t since) {
            const Event* event = first_after(events, since, before->node);
            return event != nullptr && event->sequence < second.sequence;
        };
        const std::string one = facts.node(*before);
        const std::string two = again->node == before->node ? "its next life" : facts.node(*again);
        if (happened(main.deaths, first.sequence)) {
            const Event* commit = first_after(main.commits, first.sequence);
            const bool committed = commit != nullptr && commit->sequence < second.sequence;
            return one + " died after the effect was durable" +
                   (committed ? "" : " and before its offset was committed") + ", and " + two +
                   " did not know of it";
        }
        if (before->node != again->node && happened(main.pauses, 0)) {
            return one + " froze, its partition was given to " + two +
                   ", and nothing kept both from doing it";
        }
        for (const Event* answer : main.answers_lost) {
            const bool between =
                answer->sequence > before->sequence && answer->sequence < second.sequence;
            if (between && answer->operands[1] == before->node) {
                return "an answer to " + one + " was lost, and it was done again without asking " +
                       "whether it had been done";
            }
        }
        if (before->node != again->node) {
            return "the partition went from " + one + " to " + two +
                   ", and nothing told the second of what the first had done";
        }
    }
    if (main.stored.size() > 1) {
        return "it was published twice, and nothing recognised the second copy";
    }
    return "it was delivered again, and nothing remembered the first time";
}

std::string out_of_order(const Case& facts) {
    const Evidence& late = facts.main;
    if (facts.other == nullptr) return "nothing kept their order";
    const Evidence& early = *facts.other;
    if (late.stored.empty() || early.stored.empty()) return "nothing kept their order";
    const Event& late_copy = *late.stored.front();
    const Event& early_copy = *early.stored.front();
    if (late_copy.operands[0] != early_copy.operands[0]) {
        return "they are stored in different partitions, " + facts.text(late_copy.operands[0]) +
               " and " + facts.text(early_copy.operands[0]) + ", so nothing keeps their order";
    }
    if (early_copy.sequence < late_copy.sequence) {
        return facts.text(early.message) + " was published while " + facts.text(late.message) +
               " was still on its way";
    }
    const std::uint64_t took_effect = early.effects.empty() ? 0 : early.effects.front()->sequence;
    if (last_before(late.failures, took_effect) != nullptr) {
        return "the retries of " + facts.text(late.message) + " did not hold " +
               facts.text(early.message) + " back";
    }
    return "they were handled side by side";
}

std::string phantom(const Case& facts) {
    if (!facts.main.rows_lost.empty()) {
        const std::string by_promotion =
            never_replicated(facts, *facts.main.rows_lost.back(), "it was published from a commit");
        if (!by_promotion.empty()) return by_promotion;
        return "it was published before its transaction was safe from a power loss";
    }
    if (!facts.main.rows.empty()) return "it was published before its transaction was committed";
    return "it was published, and its transaction was never committed";
}

std::string wrong_attempts(const Case& facts) {
    const Evidence& main = facts.main;
    if (main.letters.empty()) return {};
    const std::uint64_t parked = main.letters.front()->sequence;
    const auto failed =
        std::count_if(main.failures.begin(), main.failures.end(),
                      [&](const Event* failure) { return failure->sequence < parked; });
    const int wanted = facts.verdict.subscriber ? facts.verdict.subscriber->attempts_max : 0;
    if (failed < wanted) return "it was parked before its attempts were used up";
    for (const Event* failure : main.failures) {
        const Event* death = first_after(main.deaths, failure->sequence, failure->node);
        if (death != nullptr && death->sequence < parked) {
            return "the count of failed attempts did not survive the end of " +
                   facts.node(*failure);
        }
        if (failure->node != main.failures.front()->node) {
            return "the count of failed attempts did not go along from " +
                   facts.node(*main.failures.front()) + " to " + facts.node(*failure);
        }
    }
    return "the attempts went on after the last one";
}

std::string parked_twice(const Case& facts) {
    const Evidence& main = facts.main;
    if (main.letters.size() < 2) return {};
    const Event* first = last_before(main.attempts, main.letters.front()->sequence);
    if (first != nullptr) {
        const Event* death = first_after(main.deaths, main.letters.front()->sequence, first->node);
        if (death != nullptr && death->sequence < main.letters.back()->sequence) {
            return facts.node(*first) +
                   " died after the dead letter was stored and before anything remembered it, "
                   "and the next delivery made another";
        }
    }
    return "it was delivered again after it was parked, and nothing remembered that";
}

std::string words_of(const Verdict& verdict, std::span<const sim::Event> history,
                     const sim::TextTable& texts, std::span<const std::string> node_names,
                     std::vector<std::uint64_t>& events) {
    if (verdict.kind != VerdictKind::violated) return {};
    if (verdict.property == "heal-progress") {
        return "nothing moved any more although work was pending";
    }
    if (verdict.subjects.empty()) return {};
    const Evidence main(history, verdict.subjects[0], verdict.subscriber);
    std::optional<Evidence> other;
    if (verdict.subjects.size() > 1) {
        other.emplace(history, verdict.subjects[1], verdict.subscriber);
    }
    const Case facts{verdict, history, texts, node_names, main, other ? &*other : nullptr, events};
    const std::string& property = verdict.property;
    if (property == "ledger" || property == "effect-at-least-once") return lost(facts);
    if (property == "commit-not-ahead") {
        return main.commits.empty() ? lost(facts) : committed_too_early(facts);
    }
    if (property == "effect-at-most-once") return twice(facts);
    if (property == "per-key-effect-order" || property == "outbox-order-per-key") {
        return out_of_order(facts);
    }
    if (property == "key-affinity") return "the record key is not the aggregate";
    if (property == "outbox-no-missing") return not_published(facts);
    if (property == "outbox-no-phantom") return phantom(facts);
    if (property == "attempts-exact") return wrong_attempts(facts);
    if (property == "park-exactly-once") return parked_twice(facts);
    return {};
}

} // namespace

Cause cause_of(const Verdict& verdict, std::span<const sim::Event> history,
               const sim::TextTable& texts, std::span<const std::string> node_names) {
    Cause cause;
    cause.text = words_of(verdict, history, texts, node_names, cause.events);
    return cause;
}

} // namespace crier::properties
