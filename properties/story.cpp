#include "properties/story.hpp"

#include "broker-model/events.hpp"
#include "properties/cause.hpp"
#include "properties/describe.hpp"
#include "properties/evidence.hpp"
#include "sim/events.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace crier::properties {

namespace {

using sim::Event;

/// How much an event tells; the smaller the more.
enum class Rank { proof, fate, course, context, background };

/// The events that have to do with a verdict, by sequence.
class Selection {
public:
    /// With what the verdict was made of, its subjects, and the events that its `cause` speaks of.
    Selection(const Verdict& verdict, std::span<const Event> history,
              std::span<const std::uint64_t> cause);

    [[nodiscard]] const std::map<std::uint64_t, Rank>& ranks() const { return ranks_; }

private:
    void add(const Event& event, Rank rank);
    void add(const Evidence::Events& events, Rank rank);
    void add_subject(const Evidence& evidence);
    void add_context(const Event& event);
    [[nodiscard]] bool is_actor(std::uint64_t node) const {
        return actors_.contains(static_cast<std::uint32_t>(node));
    }

    std::map<std::uint64_t, Rank> ranks_;
    std::set<std::uint32_t> actors_;     // who handled a subject
    std::set<std::uint32_t> bystanders_; // who stored one
    std::set<std::uint64_t> partitions_;
    std::int64_t end_;
};

Selection::Selection(const Verdict& verdict, std::span<const Event> history,
                     std::span<const std::uint64_t> cause)
    : end_(verdict.violated_at.time_since_epoch().count()) {
    for (const std::uint64_t sequence : verdict.events)
        ranks_[sequence] = Rank::proof;
    for (const std::uint64_t sequence : cause)
        ranks_[sequence] = Rank::fate;
    for (const std::uint64_t subject : verdict.subjects) {
        add_subject(Evidence(history, subject, verdict.subscriber));
    }
    if (ranks_.empty()) return;
    const std::uint64_t first = ranks_.begin()->first;
    const std::uint64_t last = ranks_.rbegin()->first;
    std::set<std::uint32_t> dead;
    for (const Event& event : history) {
        if (event.sequence < first) continue;
        if (event.sequence < last) {
            add_context(event);
        } else if (event.kind == sim::events::crashed.id && dead.insert(event.node).second) {
            // What was lost was lost by a death after everything that is known of it.
            add_context(event);
        }
    }
}

void Selection::add(const Event& event, Rank rank) {
    if (event.time > end_) return;
    const auto [place, fresh] = ranks_.try_emplace(event.sequence, rank);
    if (!fresh) place->second = std::min(place->second, rank);
}

void Selection::add(const Evidence::Events& events, Rank rank) {
    for (const Event* event : events)
        add(*event, rank);
}

void Selection::add_subject(const Evidence& evidence) {
    add(evidence.rows, Rank::fate);
    add(evidence.rows_lost, Rank::fate);
    add(evidence.effects, Rank::fate);
    add(evidence.effects_lost, Rank::fate);
    add(evidence.letters, Rank::fate);
    add(evidence.settled, Rank::fate);
    add(evidence.attempts, Rank::course);
    add(evidence.failures, Rank::course);
    add(evidence.deliveries, Rank::course);
    add(evidence.resets, Rank::course);
    add(evidence.losses, Rank::fate);
    if (!evidence.earlier_commits.empty()) add(*evidence.earlier_commits.back(), Rank::course);
    for (std::size_t i = 0; i < evidence.stored.size(); ++i) {
        add(*evidence.stored[i], i == 0 ? Rank::fate : Rank::course);
        partitions_.insert(evidence.stored[i]->operands[0]);
    }
    // The commit that passes it tells; those after it do not. The deaths of publishers matter only
    // to what was never published.
    if (!evidence.commits.empty()) add(*evidence.commits.front(), Rank::fate);
    if (evidence.stored.empty()) {
        if (const Event* death = death_of_publisher(evidence)) add(*death, Rank::fate);
    }
    for (const auto* events : {&evidence.attempts, &evidence.settled, &evidence.deliveries}) {
        for (const Event* event : *events)
            actors_.insert(event->node);
    }
    for (const auto* events : {&evidence.rows, &evidence.effects, &evidence.stored}) {
        for (const Event* event : *events)
            bystanders_.insert(event->node);
    }
    for (const Event* move : evidence.moves) {
        const std::uint64_t since = evidence.stored.front()->sequence;
        if (move->sequence > since) add(*move, Rank::course);
    }
}

void Selection::add_context(const Event& event) {
    switch (event.kind) {
    case sim::events::crashed.id:
    case sim::events::power_lost.id:
    case sim::events::paused.id:
    case sim::events::exception_escaped.id:
        if (is_actor(event.node)) add(event, Rank::fate);
        if (bystanders_.contains(event.node)) add(event, Rank::context);
        return;
    case sim::events::started.id:
    case sim::events::resumed.id:
    case sim::events::fault_began.id:
    case sim::events::fault_ended.id:
        if (is_actor(event.node)) add(event, Rank::context);
        return;
    case sim::events::answer_lost.id:
        if (is_actor(event.operands[1])) add(event, Rank::context);
        return;
    case sim::events::connection_reset.id:
        if (is_actor(event.operands[0]) || is_actor(event.operands[1])) {
            add(event, Rank::background);
        }
        return;
    case broker::events::records_lost.id:
    case broker::events::partition_deleted.id:
        if (partitions_.contains(event.operands[0])) add(event, Rank::fate);
        return;
    case broker::events::commit_refused.id:
        if (partitions_.contains(event.operands[0])) add(event, Rank::context);
        return;
    case broker::events::leader_gone.id:
    case broker::events::leader_changed.id:
        if (partitions_.contains(event.operands[0])) add(event, Rank::background);
        return;
    default: return;
    }
}

/// Returns the sequences to tell: the weightiest, of equals the earliest.
std::set<std::uint64_t> choose(const std::map<std::uint64_t, Rank>& ranks) {
    std::vector<std::pair<Rank, std::uint64_t>> order;
    for (const auto& [sequence, rank] : ranks)
        order.emplace_back(rank, sequence);
    std::sort(order.begin(), order.end());
    if (order.size() > story_lines_max) order.resize(story_lines_max);
    std::set<std::uint64_t> chosen;
    for (const auto& [rank, sequence] : order)
        chosen.insert(sequence);
    return chosen;
}

std::string omission(std::uint64_t count) {
    return "  … " + std::to_string(count) + (count == 1 ? " more event\n" : " more events\n");
}

} // namespace

Story tell(const Verdict& verdict, std::span<const Event> history, const sim::TextTable& texts,
           std::span<const std::string> node_names, std::span<const sim::EventKind> more_kinds) {
    const Describer describer(texts, node_names, more_kinds);
    Cause cause = cause_of(verdict, history, texts, node_names);
    const Selection selection(verdict, history, cause.events);
    const std::set<std::uint64_t> chosen = choose(selection.ranks());
    Story story;
    for (const Event& event : history) {
        if (!selection.ranks().contains(event.sequence)) continue;
        if (!chosen.contains(event.sequence)) {
            ++story.omitted;
            continue;
        }
        StoryLine line;
        line.omitted = story.omitted;
        line.sequence = event.sequence;
        line.time = Instant(Duration(event.time));
        line.node = describer.node(event);
        line.text = describer.predicate(event);
        story.lines.push_back(std::move(line));
        story.omitted = 0;
    }
    story.cause = std::move(cause.text);
    return story;
}

std::string render(const Story& story) {
    std::size_t time_width = 0;
    std::size_t node_width = 0;
    for (const StoryLine& line : story.lines) {
        const std::string time = format_time(line.time.time_since_epoch().count());
        time_width = std::max(time_width, time.size());
        node_width = std::max(node_width, line.node.size());
    }
    std::string text;
    for (const StoryLine& line : story.lines) {
        if (line.omitted > 0) text += omission(line.omitted);
        const std::string time = format_time(line.time.time_since_epoch().count());
        text += "  " + std::string(time_width - time.size(), ' ') + time + "  " + line.node;
        text += std::string(node_width - line.node.size(), ' ') + "  " + line.text + '\n';
    }
    if (story.omitted > 0) text += omission(story.omitted);
    return text;
}

} // namespace crier::properties
