#include "properties/per_key_effect_order.hpp"

#include "properties/finding.hpp"
#include "properties/key_order.hpp"
#include "properties/reading.hpp"
#include "sim/hash.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class PerKeyEffectOrder final : public Checker, private FlowObserver {
public:
    PerKeyEffectOrder(Reading& reading, const PropertyOptions& options)
        : topology_(reading.topology()), options_(options), reader_(reading.flows()),
          lines_(topology_.subscribers.size()) {
        if (options.order != OrderMode::none) reading.flows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("per-key-effect-order", topology_, end);
    }

private:
    using Inversion = KeyOrder::Inversion;

    /// What one subscriber makes of the order.
    struct Line {
        KeyOrder order;
        ByNumber<std::uint32_t> rows;
        ByNumber<bool> discarded;
    };

    void on_accepted(const FlowMessage& message, std::uint64_t key, const Event& event) override {
        keys_.at(message.number) = key;
        if (is_empty_text(key)) return;
        for (const std::size_t subscriber : topology_.flows[message.flow].subscribers) {
            if (!reader_.routes().counts(subscriber)) continue;
            KeyOrder& order = lines_[subscriber].order;
            const auto inversion = order.expect(message.number, sim::mix(key, message.flow));
            if (order.happened(message.number).sequence == 0) continue;
            tally_.observe();
            if (inversion) {
                violate(*inversion, subscriber, event);
            } else {
                judge_strictly(message, subscriber, event);
            }
        }
    }

    void on_unaccepted(const FlowMessage& message, const Event&) override {
        for (Line& line : lines_)
            line.order.withdraw(message.number);
    }

    void on_effect(const FlowMessage& message, std::size_t subscriber,
                   const Event& event) override {
        Line& line = lines_[subscriber];
        if (++line.rows.at(message.number) > 1) return;
        const bool judged =
            line.order.is_expected(message.number) && !line.order.is_excused(message.number);
        const auto inversion = line.order.happen(message.number, {event.sequence, event.time});
        if (!judged) return;
        tally_.observe();
        if (inversion) {
            violate(*inversion, subscriber, event);
        } else {
            judge_strictly(message, subscriber, event);
        }
    }

    void on_effect_lost(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        Line& line = lines_[subscriber];
        std::uint32_t& rows = line.rows.at(message.number);
        if (rows > 0 && --rows == 0) line.order.undo(message.number);
    }

    void on_parked(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        lines_[subscriber].order.excuse(message.number);
    }

    void on_discarded(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        lines_[subscriber].order.excuse(message.number);
        lines_[subscriber].discarded.at(message.number) = true;
    }

    /// What was accepted just before has to have had its effect, unless it was discarded on
    /// purpose.
    void judge_strictly(const FlowMessage& message, std::size_t subscriber, const Event& event) {
        if (options_.order != OrderMode::strict) return;
        const Line& line = lines_[subscriber];
        auto before = line.order.previous(message.number);
        while (before && line.discarded.get(*before))
            before = line.order.previous(*before);
        if (!before || line.order.happened(*before).sequence != 0) return;
        violate({*before, message.number}, subscriber, event);
    }

    void violate(const Inversion& inversion, std::size_t subscriber, const Event& event) {
        tally_.violate([&] {
            const KeyOrder& order = lines_[subscriber].order;
            const FlowMessage first = reader_.message(inversion.first);
            const FlowMessage second = reader_.message(inversion.second);
            const KeyOrder::When late = order.happened(inversion.first);
            const KeyOrder::When early = order.happened(inversion.second);
            Finding finding;
            finding.time = event.time;
            finding.subscriber = subscriber;
            finding.subjects = {first.text, second.text};
            finding.events = {early.sequence, late.sequence, event.sequence};
            Sentence& say = finding.witness;
            say.text(first.text).words(" was accepted before ").text(second.text);
            say.words(" (both of ").text(keys_.get(inversion.first)).words("), but for ");
            say.words(topology_.subscribers[subscriber].service).words(" ");
            say.text(second.text).words(" took effect first, at ").time(early.time);
            if (late.sequence != 0) {
                say.words("; ").text(first.text).words(" followed at ").time(late.time).words(".");
            } else {
                say.words(order.is_excused(inversion.first) ? "; the other was parked."
                                                            : "; the other was not finished.");
            }
            return finding;
        });
    }

    const Topology& topology_;
    PropertyOptions options_;
    const FlowReader& reader_;
    std::vector<Line> lines_;      // by subscriber
    ByNumber<std::uint64_t> keys_; // aggregate by message
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_per_key_effect_order(Reading& reading,
                                                   const PropertyOptions& options) {
    return std::make_unique<PerKeyEffectOrder>(reading, options);
}

} // namespace crier::properties
