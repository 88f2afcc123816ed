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
    // The highest watermark ever told: one that went back with lost records may still be read.
    void on_event(const Event& event) override {
        std::uint64_t& highest = highest_[event.operands[0]];
        if (event.kind == broker_events::stored.id) {
            highest = std::max(highest, event.operands[1] + 1);
        } else if (event.kind == broker_events::delivered.id ||
                   event.kind == broker_events::share_delivered.id) {
            const bool is_shared = event.kind == broker_events::share_delivered.id;
            const std::uint64_t end = is_shared ? event.operands[2] + 1 : event.operands[3];
            tally_.observe();
            if (end <= highest) return;
            tally_.violate([&] {
                Finding finding;
                finding.time = event.time;
                finding.events = {event.sequence};
                Sentence& say = finding.witness;
                say.node(event.node).words(" was handed ").text(event.operands[0]);
                say.words(" up to before ").number(static_cast<std::int64_t>(end));
                say.words(" at ").time(event.time).words(", when only what is before ");
                say.number(static_cast<std::int64_t>(highest)).words(" was stored.");
                return finding;
            });
        }
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
