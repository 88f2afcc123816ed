#include "properties/offset_stability.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class OffsetStability final : public Checker, private sim::EventSink {
public:
    explicit OffsetStability(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("offset-stability", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        const bool is_stored = event.kind == broker_events::stored.id;
        if (!is_stored && event.kind != broker_events::records_lost.id) return;
        if (routes_.may_lose(event.operands[0])) return;
        if (is_stored) {
            tally_.observe();
            return;
        }
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.text(event.operands[0]).words(" lost the stored records from ");
            say.number(static_cast<std::int64_t>(event.operands[1])).words(" to ");
            say.number(static_cast<std::int64_t>(event.operands[2])).words(" at ");
            say.time(event.time).words(".");
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_offset_stability(Reading& reading, const PropertyOptions&) {
    return std::make_unique<OffsetStability>(reading);
}

} // namespace crier::properties
