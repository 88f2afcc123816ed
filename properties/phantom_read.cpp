#include "properties/phantom_read.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/index.hpp"
#include "properties/offset_set.hpp"
#include "properties/reading.hpp"
#include "sim/hash.hpp"

#include <map>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class PhantomRead final : public Checker, private sim::EventSink, private SendObserver {
public:
    explicit PhantomRead(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
        reading.sends().add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("phantom-read", topology_, end);
    }

private:
    void on_event(const Event& event) override {
        const std::uint64_t offset = event.operands[1];
        switch (event.kind) {
        case broker_events::written.id:
        case broker_events::stored.id: there_[event.operands[0]].add(offset, offset + 1); break;
        case broker_events::received.id: received(event); break;
        default: break;
        }
    }

    void on_sent(const Send& send, const Event&) override {
        if (send.message != 0) sent_.insert(sim::mix(send.partition, send.message));
    }

    // What was lost later was there all the same.
    void received(const Event& event) {
        if (routes_.place(event.operands[0]) == nullptr) return;
        tally_.observe();
        const std::uint64_t message = event.operands[2];
        const bool is_there = there_[event.operands[0]].has(event.operands[1]);
        const bool is_sent = message == 0 || sent_.find(sim::mix(event.operands[0], message));
        if (is_there && is_sent) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.subjects = {message};
            finding.events = {event.sequence};
            Sentence& say = finding.witness;
            say.node(event.node).words(" was handed ").text(message).words(" from ");
            say.text(event.operands[0]).words(" offset ");
            say.number(static_cast<std::int64_t>(event.operands[1])).words(" at ");
            say.time(event.time);
            say.words(is_there ? ", which nobody sent there." : ", where nothing is stored.");
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<std::uint64_t, OffsetSet> there_;
    Index sent_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_phantom_read(Reading& reading, const PropertyOptions&) {
    return std::make_unique<PhantomRead>(reading);
}

} // namespace crier::properties
