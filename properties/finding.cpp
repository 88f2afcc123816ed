#include "properties/finding.hpp"

#include "properties/describe.hpp"

#include <algorithm>

namespace crier::properties {

Sentence& Sentence::words(std::string_view text) {
    parts_.emplace_back(std::string(text));
    return *this;
}

Sentence& Sentence::number(std::int64_t value) {
    return words(std::to_string(value));
}

Sentence& Sentence::text(std::uint64_t hash) {
    parts_.emplace_back(Text{hash});
    return *this;
}

Sentence& Sentence::node(std::uint32_t id) {
    parts_.emplace_back(Node{id});
    return *this;
}

Sentence& Sentence::time(std::int64_t nanoseconds) {
    return words(format_time(nanoseconds));
}

std::string Sentence::render(const Topology& topology, const sim::TextTable* texts) const {
    const sim::TextTable none;
    std::string whole;
    for (const auto& part : parts_) {
        if (const auto* words = std::get_if<std::string>(&part)) {
            whole += *words;
        } else if (const auto* text = std::get_if<Text>(&part)) {
            whole += format_text(text->hash, texts == nullptr ? none : *texts);
        } else {
            whole += format_node(std::get<Node>(part).id, topology.node_names);
        }
    }
    return whole;
}

Verdict Tally::verdict(std::string_view property, const Topology& topology,
                       const RunEnd& end) const {
    Verdict verdict;
    verdict.property = property;
    verdict.observations = observations_;
    verdict.violations = violations_ + (end.cut ? 0 : missed_);
    if (verdict.violations > 0) {
        verdict.kind = VerdictKind::violated;
    } else if (missed_ > 0) {
        verdict.kind = VerdictKind::inconclusive;
    } else if (observations_ > 0) {
        verdict.kind = VerdictKind::holds;
        return verdict;
    } else {
        return verdict;
    }

    const Finding& finding = violations_ > 0 ? first_ : first_missed_;
    verdict.witness = finding.witness.render(topology, end.texts);
    verdict.violated_at = Instant(Duration(finding.time));
    for (const std::uint64_t subject : finding.subjects) {
        const bool known = std::find(verdict.subjects.begin(), verdict.subjects.end(), subject) !=
                           verdict.subjects.end();
        if (subject != 0 && !known) verdict.subjects.push_back(subject);
    }
    verdict.events = finding.events;
    std::sort(verdict.events.begin(), verdict.events.end());
    verdict.events.erase(std::unique(verdict.events.begin(), verdict.events.end()),
                         verdict.events.end());
    if (!verdict.events.empty() && verdict.events.front() == 0) {
        verdict.events.erase(verdict.events.begin());
    }
    if (finding.subscriber) verdict.subscriber = topology.subscribers[*finding.subscriber];
    return verdict;
}

} // namespace crier::properties
