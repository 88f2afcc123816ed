#include "properties/mark_monotone.hpp"

#include "broker-model/events.hpp"
#include "properties/careful_readers.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"

#include <set>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

enum class Mark { watermark, stable_offset };

class MarkMonotone final : public Checker, private sim::EventSink {
public:
    MarkMonotone(Reading& reading, Mark mark)
        : topology_(reading.topology()), is_stable_offset_(mark == Mark::stable_offset) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict(is_stable_offset_ ? "lso-monotone" : "hw-monotone", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        if (is_stable_offset_) {
            observe_readers(event);
            if (event.kind == broker_events::stable_offset_fell.id) went_back(event);
        } else {
            if (event.kind == broker_events::leader_changed.id) tally_.observe();
            if (event.kind == broker_events::watermark_fell.id) went_back(event);
        }
    }

    void observe_readers(const Event& event) {
        careful_.read(event);
        if (event.kind == broker_events::transaction_written.id) {
            transactional_.insert(event.operands[0]);
        } else if (event.kind == broker_events::delivered.id) {
            const bool is_bound = careful_.has(event, event.operands[1]) &&
                                  transactional_.contains(event.operands[0]);
            if (is_bound) tally_.observe();
        }
    }

    void went_back(const Event& event) {
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.words(is_stable_offset_ ? "The last stable offset of " : "The high watermark of ");
            say.text(event.operands[0]).words(" went back from ");
            say.number(static_cast<std::int64_t>(event.operands[2])).words(" to ");
            say.number(static_cast<std::int64_t>(event.operands[3])).words(" at ");
            say.time(event.time).words(" under one leader.");
            return finding;
        });
    }

    const Topology& topology_;
    bool is_stable_offset_;
    CarefulReaders careful_;
    std::set<std::uint64_t> transactional_; // partitions
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_hw_monotone(Reading& reading, const PropertyOptions&) {
    return std::make_unique<MarkMonotone>(reading, Mark::watermark);
}

std::unique_ptr<Checker> make_lso_monotone(Reading& reading, const PropertyOptions&) {
    return std::make_unique<MarkMonotone>(reading, Mark::stable_offset);
}

} // namespace crier::properties
