#include "properties/effect_idempotent_value.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"
#include "sim/hash.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class EffectIdempotentValue final : public Checker, private sim::EventSink, private FlowObserver {
public:
    explicit EffectIdempotentValue(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
        reading.flows().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("effect-idempotent-value", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        if (event.kind != broker::events::received.id) return;
        const auto subscriber = routes_.subscriber(event.operands[3], event.operands[0]);
        if (subscriber && routes_.counts(*subscriber)) seen(*subscriber, event.operands[2], 0);
    }
    // Members of share groups do not tell what they are handed, but what they begin with.
    void on_attempting(const FlowMessage& message, std::size_t subscriber, const Event&) override {
        if (routes_.counts(subscriber)) seen(subscriber, message.text, 1);
    }

    void seen(std::size_t subscriber, std::uint64_t message, std::uint64_t how) {
        const std::uint32_t before = units_.size();
        units_.insert(sim::mix(message, 2 * subscriber + how));
        if (units_.size() == before) tally_.observe();
    }

    const Topology& topology_;
    const Routes& routes_;
    Index units_; // message, subscriber, and how it is known
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_effect_idempotent_value(Reading& reading, const PropertyOptions&) {
    return std::make_unique<EffectIdempotentValue>(reading);
}

} // namespace crier::properties
