#include "properties/effect_at_least_once.hpp"

#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class EffectAtLeastOnce final : public Checker, private FlowObserver {
public:
    explicit EffectAtLeastOnce(Reading& reading)
        : topology_(reading.topology()), reader_(reading.flows()),
          units_(topology_.subscribers.size()) {
        reading.flows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        for (std::uint32_t number = 0; number < reader_.count(); ++number) {
            if (!reader_.is_accepted(number)) continue;
            const FlowMessage message = reader_.message(number);
            for (const std::size_t subscriber : topology_.flows[message.flow].subscribers) {
                if (reader_.routes().counts(subscriber)) judge(message, subscriber, end);
            }
        }
        return tally_.verdict("effect-at-least-once", topology_, end);
    }

private:
    struct Unit {
        std::uint32_t effects = 0;
        bool set_aside = false; // parked or discarded
    };

    void on_accepted(const FlowMessage& message, std::uint64_t, const Event& event) override {
        accepted_.at(message.number) = event.sequence;
    }
    void on_effect(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        ++units_[subscriber].at(message.number).effects;
    }
    void on_effect_lost(const FlowMessage& message, std::size_t subscriber,
                        const Event& event) override {
        Unit& unit = units_[subscriber].at(message.number);
        if (unit.effects > 0) --unit.effects;
        lost_.at(message.number) = event.sequence;
    }
    void on_parked(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        units_[subscriber].at(message.number).set_aside = true;
    }
    void on_discarded(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        units_[subscriber].at(message.number).set_aside = true;
    }

    void judge(const FlowMessage& message, std::size_t subscriber, const RunEnd& end) {
        tally_.observe();
        const Unit unit = units_[subscriber].get(message.number);
        if (unit.effects > 0 || unit.set_aside) return;
        tally_.miss([&] {
            const std::uint64_t lost = lost_.get(message.number);
            Finding finding;
            finding.time = end.time.time_since_epoch().count();
            finding.subscriber = subscriber;
            finding.subjects = {message.text};
            finding.events = {accepted_.get(message.number), lost};
            finding.witness.text(message.text).words(" was accepted and ");
            finding.witness.words(lost == 0 ? "never took effect" : "lost its effect again");
            finding.witness.words(" for " + topology_.subscribers[subscriber].service);
            finding.witness.words(": no row of it is in ");
            finding.witness.words(topology_.subscribers[subscriber].effects_table);
            finding.witness.words(", and it was neither parked nor discarded.");
            return finding;
        });
    }

    const Topology& topology_;
    const FlowReader& reader_;
    std::vector<ByNumber<Unit>> units_; // by subscriber
    ByNumber<std::uint64_t> accepted_;  // sequence
    ByNumber<std::uint64_t> lost_;      // sequence of the last effect lost
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_effect_at_least_once(Reading& reading, const PropertyOptions&) {
    return std::make_unique<EffectAtLeastOnce>(reading);
}

} // namespace crier::properties
