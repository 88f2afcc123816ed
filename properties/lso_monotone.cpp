#include "properties/lso_monotone.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class LsoMonotone final : public Checker, private sim::EventSink {
public:
    explicit LsoMonotone(Reading& reading) : topology_(reading.topology()) { reading.add(*this); }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("lso-monotone", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        if (event.kind == broker_events::transaction_marked.id) tally_.observe();
        if (event.kind != broker_events::stable_offset_fell.id) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.words("The last stable offset of ").text(event.operands[0]);
            say.words(" went back from ");
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

std::unique_ptr<Checker> make_lso_monotone(Reading& reading, const PropertyOptions&) {
    return std::make_unique<LsoMonotone>(reading);
}

} // namespace crier::properties
