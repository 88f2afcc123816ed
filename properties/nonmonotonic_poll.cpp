#include "properties/nonmonotonic_poll.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"
#include "properties/reading_place.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class NonmonotonicPoll final : public Checker, private sim::EventSink {
public:
    explicit NonmonotonicPoll(Reading& reading) : topology_(reading.topology()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("nonmonotonic-poll", topology_, end);
    }

private:
    struct Session {
        std::uint32_t incarnation = 0;
        std::uint64_t next = 0;
        std::uint64_t sequence = 0;
    };

    void on_event(const Event& event) override {
        if (ends_session(event)) sessions_.erase(reading_place(event));
        switch (event.kind) {
        case broker_events::delivered.id: delivered(event); break;
        default: break;
        }
    }

    void delivered(const Event& event) {
        const ReadingPlace place = reading_place(event);
        const auto found = sessions_.find(place);
        if (found != sessions_.end() && found->second.incarnation == event.incarnation) {
            tally_.observe();
            if (event.operands[2] < found->second.next) {
                tally_.violate([&] { return back(event, found->second); });
            }
        }
        sessions_[place] = {event.incarnation, event.operands[3], event.sequence};
    }

    static Finding back(const Event& event, const Session& session) {
        Finding finding;
        finding.time = event.time;
        finding.events = {session.sequence, event.sequence};
        Sentence& say = finding.witness;
        say.node(event.node).words(" was handed ").text(event.operands[0]).words(" from ");
        say.number(static_cast<std::int64_t>(event.operands[2])).words(" at ").time(event.time);
        say.words(", after it had been handed what is before ");
        say.number(static_cast<std::int64_t>(session.next)).words(".");
        return finding;
    }

    const Topology& topology_;
    std::map<ReadingPlace, Session> sessions_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_nonmonotonic_poll(Reading& reading, const PropertyOptions&) {
    return std::make_unique<NonmonotonicPoll>(reading);
}

} // namespace crier::properties
