#include "properties/effect_at_most_once.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/index.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"
#include "sim/hash.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;

class EffectAtMostOnce final : public Checker, private sim::EventSink {
public:
    explicit EffectAtMostOnce(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker::events::row_durable.id: durable(event); break;
        case broker::events::row_lost.id: lost(event); break;
        case sim::events::attempting.id: attempting(event); break;
        case sim::events::settled.id: settled(event); break;
        default: break;
        }
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("effect-at-most-once", topology_, end);
    }

private:
    struct Effect {
        std::uint32_t rows = 0;
        std::uint32_t by = 0; // node; 0: not known
        std::uint64_t sequence = 0;
        std::int64_t time = 0;
    };
    struct Doer {
        std::uint32_t node = 0;
        std::uint64_t sequence = 0;
    };
    using Attempt = std::pair<std::size_t, std::uint64_t>; // subscriber, message

    void durable(const Event& event) {
        const auto subscribers = routes_.subscribers_of_table(event.operands[0]);
        if (subscribers.empty()) return;
        tally_.observe();
        Effect& effect = effects_.at(index_.insert(sim::mix(event.operands[1], event.operands[0])));
        const Doer doer = doer_of(subscribers, event.operands[1]);
        if (++effect.rows > subscribers.size()) {
            tally_.violate([&] { return twice(effect, doer, subscribers.front(), event); });
        }
        if (effect.rows == 1) {
            effect.by = doer.node;
            effect.sequence = event.sequence;
            effect.time = event.time;
        }
    }

    void lost(const Event& event) {
        if (routes_.subscribers_of_table(event.operands[0]).empty()) return;
        const auto number = index_.find(sim::mix(event.operands[1], event.operands[0]));
        if (!number) return;
        Effect& effect = effects_.at(*number);
        if (effect.rows > 0) --effect.rows;
    }

    void attempting(const Event& event) {
        for (const std::size_t subscriber : routes_.subscribers_of_node(event.node)) {
            if (!routes_.counts(subscriber)) continue;
            doers_[{subscriber, event.operands[0]}] = {event.node, event.sequence};
        }
    }

    void settled(const Event& event) {
        for (const std::size_t subscriber : routes_.subscribers_of_node(event.node)) {
            const auto found = doers_.find({subscriber, event.operands[0]});
            // Another owner may be at work on it still.
            if (found != doers_.end() && found->second.node == event.node) doers_.erase(found);
        }
    }

    /// Returns who attempted it last: a row itself tells only its database.
    [[nodiscard]] Doer doer_of(std::span<const std::size_t> subscribers,
                               std::uint64_t message) const {
        Doer last;
        for (const std::size_t subscriber : subscribers) {
            const auto found = doers_.find({subscriber, message});
            if (found != doers_.end() && found->second.sequence > last.sequence) {
                last = found->second;
            }
        }
        return last;
    }

    static void by(Sentence& say, std::uint32_t node, std::int64_t time) {
        if (node != 0) say.words("by ").node(node).words(" ");
        say.words("at ").time(time);
    }

    [[nodiscard]] static Finding twice(const Effect& effect, const Doer& doer,
                                       std::size_t subscriber, const Event& event) {
        Finding finding;
        finding.time = event.time;
        finding.subscriber = subscriber;
        finding.subjects = {event.operands[1]};
        finding.events = {effect.sequence, event.sequence, doer.sequence};
        finding.witness.text(event.operands[1]);
        if (!is_empty_text(event.operands[2])) {
            finding.witness.words(" (").text(event.operands[2]).words(")");
        }
        finding.witness.words(effect.rows == 2 ? " is twice in " : " is too often in ");
        finding.witness.text(event.operands[0]).words(": first ");
        by(finding.witness, effect.by, effect.time);
        finding.witness.words(", again ");
        by(finding.witness, doer.node, event.time);
        finding.witness.words(".");
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    Index index_;
    ByNumber<Effect> effects_;
    std::map<Attempt, Doer> doers_; // of what is on its way
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_effect_at_most_once(Reading& reading, const PropertyOptions&) {
    return std::make_unique<EffectAtMostOnce>(reading);
}

} // namespace crier::properties
