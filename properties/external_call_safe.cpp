#include "properties/external_call_safe.hpp"

#include "properties/finding.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"
#include "sim/hash.hpp"

namespace crier::properties {

namespace {

using sim::Event;

class ExternalCallSafe final : public Checker, private sim::EventSink {
public:
    explicit ExternalCallSafe(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("external-call-safe", topology_, end);
    }

private:
    struct Call {
        std::uint64_t sequence = 0; // of the event; 0: none yet
        std::uint64_t key = 0;
        std::uint32_t node = 0;
        std::int64_t time = 0;
    };

    void on_event(const Event& event) override {
        if (event.kind != sim::events::called_out.id) return;
        for (const std::size_t subscriber : routes_.subscribers_of_node(event.node))
            judge(subscriber, event);
    }

    void judge(std::size_t subscriber, const Event& event) {
        tally_.observe();
        const std::uint64_t message = event.operands[0];
        Call& first = first_.at(units_.insert(sim::mix(message, subscriber)));
        const Call call{event.sequence, event.operands[1], event.node, event.time};
        if (first.sequence == 0) {
            first = call;
            return;
        }
        if (call.key == first.key && !is_empty_text(call.key)) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subscriber = subscriber;
            finding.subjects = {message};
            finding.events = {first.sequence, call.sequence};
            Sentence& say = finding.witness;
            say.node(first.node).words(" called out for ").text(message).words(" at ");
            say.time(first.time).words(", and ").node(call.node).words(" again at ");
            say.time(call.time);
            if (is_empty_text(call.key)) {
                say.words(", without an idempotency key.");
            } else {
                say.words(", under another key: ").text(first.key).words(" and then ");
                say.text(call.key).words(".");
            }
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    Index units_; // message and subscriber
    ByNumber<Call> first_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_external_call_safe(Reading& reading, const PropertyOptions&) {
    return std::make_unique<ExternalCallSafe>(reading);
}

} // namespace crier::properties
