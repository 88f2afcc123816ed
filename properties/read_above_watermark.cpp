#include "properties/read_above_watermark.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class ReadAboveWatermark final : public Checker, private sim::EventSink {
public:
    explicit ReadAboveWatermark(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("read-above-watermark", topology_, end);
    }

private:
    // The highest watermark ever told: one that went back with lost records may still be read. A
    // record of a transaction is told as written when it is below, whatever becomes of it.
    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::stored.id:
        case broker_events::written.id: {
            std::uint64_t& highest = highest_[event.operands[0]];
            highest = std::max(highest, event.operands[1] + 1);
            break;
        }
        case broker_events::received.id: judge(event, event.operands[1]); break;
        case broker_events::share_delivered.id: judge(event, event.operands[2]); break;
        default: break;
        }
    }

    void judge(const Event& event, std::uint64_t offset) {
        tally_.observe();
        const std::uint64_t highest = highest_[event.operands[0]];
        if (offset < highest) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.node(event.node).words(" was handed ").text(event.operands[0]);
            say.words(" offset ").number(static_cast<std::int64_t>(offset));
            say.words(" at ").time(event.time).words(", when only what is before ");
            say.number(static_cast<std::int64_t>(highest)).words(" was stored.");
            return finding;
        });
    }

    const Topology& topology_;
    std::map<std::uint64_t, std::uint64_t> highest_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_read_above_watermark(Reading& reading, const PropertyOptions&) {
    return std::make_unique<ReadAboveWatermark>(reading);
}

} // namespace crier::properties
