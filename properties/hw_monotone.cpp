#include "properties/hw_monotone.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class HwMonotone final : public Checker, private sim::EventSink {
public:
    explicit HwMonotone(Reading& reading) : topology_(reading.topology()) { reading.add(*this); }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("hw-monotone", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        if (event.kind == broker_events::leader_changed.id) tally_.observe();
        if (event.kind != broker_events::watermark_fell.id) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.words("The high watermark of ").text(event.operands[0]).words(" went back from ");
            say.number(static_cast<std::int64_t>(event.operands[2])).words(" to ");
            say.number(static_cast<std::int64_t>(event.operands[3])).words(" at ");
            say.time(event.time).words(" under one leader.");
            return finding;
        });
    }

    const Topology& topology_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_hw_monotone(Reading& reading, const PropertyOptions&) {
    return std::make_unique<HwMonotone>(reading);
}

} // namespace crier::properties
