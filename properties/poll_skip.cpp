#include "properties/poll_skip.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/offset_set.hpp"
#include "properties/reading.hpp"
#include "properties/reading_place.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class PollSkip final : public Checker, private sim::EventSink {
public:
    explicit PollSkip(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("poll-skip", topology_, end);
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
        case broker_events::stored.id:
            stored_[event.operands[0]].add(event.operands[1], event.operands[1] + 1);
            break;
        case broker_events::records_lost.id:
            stored_[event.operands[0]].remove(event.operands[1], event.operands[2] + 1);
            forget_sessions(event.operands[0]);
            break;
        case broker_events::partition_deleted.id:
            stored_.erase(event.operands[0]);
            forget_sessions(event.operands[0]);
            break;
        case broker_events::log_start_moved.id:
            stored_[event.operands[0]].remove(0, event.operands[1]);
            break;
        default: break;
        }
    }

    void forget_sessions(std::uint64_t partition) {
        std::erase_if(sessions_, [partition](const auto& entry) {
            return entry.first.second.second == partition;
        });
    }

    void delivered(const Event& event) {
        const ReadingPlace place = reading_place(event);
        const auto found = sessions_.find(place);
        const bool is_dense = !routes_.compacts(event.operands[0]);
        if (is_dense && found != sessions_.end() &&
            found->second.incarnation == event.incarnation) {
            tally_.observe();
            const std::uint64_t skipped = stored_[event.operands[0]].first_in(
                found->second.next, std::max(found->second.next, event.operands[2]));
            if (skipped < event.operands[2]) {
                tally_.violate([&] { return skip(event, found->second, skipped); });
            }
        }
        sessions_[place] = {event.incarnation, event.operands[3], event.sequence};
    }

    static Finding skip(const Event& event, const Session& session, std::uint64_t skipped) {
        Finding finding;
        finding.time = event.time;
        finding.events = {session.sequence, event.sequence};
        Sentence& say = finding.witness;
        say.node(event.node).words(" was handed ").text(event.operands[0]).words(" from ");
        say.number(static_cast<std::int64_t>(event.operands[2])).words(" at ").time(event.time);
        say.words(" and never ").number(static_cast<std::int64_t>(skipped));
        say.words(", which is stored.");
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<ReadingPlace, Session> sessions_;
    std::map<std::uint64_t, OffsetSet> stored_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_poll_skip(Reading& reading, const PropertyOptions&) {
    return std::make_unique<PollSkip>(reading);
}

} // namespace crier::properties
