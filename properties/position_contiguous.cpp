#include "properties/position_contiguous.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/holders.hpp"
#include "properties/offset_set.hpp"
#include "properties/reading.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class PositionContiguous final : public Checker, private sim::EventSink {
public:
    explicit PositionContiguous(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("position-contiguous", topology_, end);
    }

private:
    struct Session {
        std::uint32_t incarnation = 0;
        std::uint64_t next = 0;
        std::uint64_t sequence = 0; // of the event that says so
        bool is_new = false;        // nothing was delivered: it reads from the commit
    };
    struct Committed {
        std::uint64_t offset = 0;
        std::uint64_t sequence = 0;
    };
    using Place = std::pair<GroupPartition, std::uint32_t>; // what a member reads

    static GroupPartition place_of(const Event& event) {
        return {event.operands[1], event.operands[0]};
    }

    void on_event(const Event& event) override {
        const std::uint64_t partition = event.operands[0];
        switch (event.kind) {
        case broker_events::assigned.id: assigned(event); break;
        case broker_events::revoked.id:
        case broker_events::lost.id: sessions_.erase({place_of(event), event.node}); break;
        case broker_events::position_reset.id:
        case broker_events::position_sought.id:
            sessions_[{place_of(event), event.node}] = {event.incarnation, event.operands[2],
                                                        event.sequence, false};
            break;
        case broker_events::delivered.id: delivered(event); break;
        case broker_events::offset_committed.id: {
            Committed& last = committed_[place_of(event)];
            if (event.operands[2] >= last.offset) last = {event.operands[2], event.sequence};
            break;
        }
        case broker_events::offset_expired.id: committed_.erase(place_of(event)); break;
        case broker_events::stored.id:
            stored_[partition].add(event.operands[1], event.operands[1] + 1);
            break;
        case broker_events::records_lost.id:
            if (routes_.is_internal(partition)) committed_.clear(); // commits may be among them
            lost(partition, event.operands[1], event.operands[2] + 1);
            break;
        case broker_events::partition_deleted.id: lost(partition, 0, event.operands[1]); break;
        case broker_events::log_start_moved.id:
            stored_[partition].remove(0, event.operands[1]);
            break;
        default: break;
        }
    }

    void lost(std::uint64_t partition, std::uint64_t first, std::uint64_t end) {
        stored_[partition].remove(first, end);
        std::erase_if(sessions_, [partition](const auto& entry) {
            return entry.first.first.second == partition;
        });
        std::erase_if(committed_,
                      [partition](const auto& entry) { return entry.first.second == partition; });
    }

    void assigned(const Event& event) {
        const auto committed = committed_.find(place_of(event));
        Session& session = sessions_[{place_of(event), event.node}];
        session = {event.incarnation, 0, 0, true};
        if (committed == committed_.end()) return;
        session.next = committed->second.offset;
        session.sequence = committed->second.sequence;
    }

    void delivered(const Event& event) {
        const auto found = sessions_.find({place_of(event), event.node});
        const bool is_known =
            found != sessions_.end() && found->second.incarnation == event.incarnation;
        if (is_known && (!found->second.is_new || found->second.sequence != 0)) {
            judge(event, found->second);
        }
        sessions_[{place_of(event), event.node}] = {event.incarnation, event.operands[3],
                                                    event.sequence, false};
    }

    void judge(const Event& event, Session from) {
        tally_.observe();
        if (from.is_new) { // the group may have committed since
            const auto committed = committed_.find(place_of(event));
            if (committed != committed_.end()) from.next = committed->second.offset;
        }
        const std::uint64_t first = event.operands[2];
        if (first < from.next) {
            if (!from.is_new)
                tally_.violate([&] { return apart(event, from, "reads again from "); });
            return;
        }
        if (routes_.compacts(event.operands[0])) return; // which records are left is not told
        const std::uint64_t skipped = stored_[event.operands[0]].first_in(from.next, first);
        if (skipped < first) tally_.violate([&] { return apart(event, from, "reads only from "); });
    }

    static Finding apart(const Event& event, const Session& from, std::string_view how) {
        Finding finding;
        finding.time = event.time;
        finding.events = {from.sequence, event.sequence};
        Sentence& say = finding.witness;
        say.node(event.node).words(" stood at ").number(static_cast<std::int64_t>(from.next));
        say.words(" of ").text(event.operands[0]).words(" and ").words(how);
        say.number(static_cast<std::int64_t>(event.operands[2])).words(" at ").time(event.time);
        say.words(".");
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<Place, Session> sessions_;
    std::map<GroupPartition, Committed> committed_; // the highest
    std::map<std::uint64_t, OffsetSet> stored_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_position_contiguous(Reading& reading, const PropertyOptions&) {
    return std::make_unique<PositionContiguous>(reading);
}

} // namespace crier::properties
