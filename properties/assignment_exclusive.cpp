#include "properties/assignment_exclusive.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/reading.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class AssignmentExclusive final : public Checker, private sim::EventSink {
public:
    explicit AssignmentExclusive(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("assignment-exclusive", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        if (event.kind == broker_events::assigned.id) {
            tally_.observe();
            for (const Holders::Holder& other :
                 holders_.of({event.operands[1], event.operands[0]})) {
                const bool clashes =
                    other.node != event.node && other.generation == event.operands[2];
                if (clashes) tally_.violate([&] { return shared(event, other); });
            }
        }
        holders_.read(event);
    }

    static Finding shared(const Event& event, const Holders::Holder& other) {
        Finding finding;
        finding.time = event.time;
        finding.events = {other.sequence, event.sequence};
        finding.witness.node(event.node).words(" was given ").text(event.operands[0]);
        finding.witness.words(" for ").text(event.operands[1]).words(" at ").time(event.time);
        finding.witness.words(", which ").node(other.node).words(" holds in the same generation ");
        finding.witness.number(static_cast<std::int64_t>(event.operands[2])).words(".");
        return finding;
    }

    const Topology& topology_;
    Holders holders_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_assignment_exclusive(Reading& reading, const PropertyOptions&) {
    return std::make_unique<AssignmentExclusive>(reading);
}

} // namespace crier::properties
