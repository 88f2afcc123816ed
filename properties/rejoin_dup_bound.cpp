#include "properties/rejoin_dup_bound.hpp"

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

class RejoinDupBound final : public Checker, private sim::EventSink {
public:
    explicit RejoinDupBound(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("rejoin-dup-bound", topology_, end);
    }

private:
    struct Committed {
        std::uint64_t offset = 0;
        std::uint64_t sequence = 0;
    };
    /// A partition that went to another member, and what the one before left.
    struct Handover {
        std::uint32_t node = 0;
        Committed committed;
        std::uint64_t end = 0;            // of what was handed out
        std::uint64_t first = UINT64_MAX; // where the new member began
        std::uint64_t sequence = 0;
        bool is_counted = false; // as too much
    };

    static GroupPartition place_of(const Event& event) {
        return {event.operands[1], event.operands[0]};
    }

    void on_event(const Event& event) override {
        const std::uint64_t partition = event.operands[0];
        switch (event.kind) {
        case broker_events::assigned.id: assigned(event); break;
        case broker_events::delivered.id: delivered(event); break;
        case broker_events::position_reset.id:
        case broker_events::position_sought.id: handovers_.erase(place_of(event)); break;
        case broker_events::offset_committed.id:
            committed_[place_of(event)] = {event.operands[2], event.sequence};
            break;
        case broker_events::offset_expired.id: committed_.erase(place_of(event)); break;
        case broker_events::stored.id:
            stored_[partition].add(event.operands[1], event.operands[1] + 1);
            break;
        case broker_events::log_start_moved.id:
            stored_[partition].remove(0, event.operands[1]);
            break;
        case broker_events::records_lost.id:
            lost(partition, event.operands[1], event.operands[2] + 1);
            break;
        case broker_events::partition_deleted.id: lost(partition, 0, event.operands[1]); break;
        default: break;
        }
    }

    void lost(std::uint64_t partition, std::uint64_t first, std::uint64_t last_end) {
        stored_[partition].remove(first, last_end);
        const bool takes_all = routes_.is_internal(partition); // commits may be among them
        const auto is_hit = [partition, takes_all](const auto& entry) {
            return takes_all || entry.first.second == partition;
        };
        std::erase_if(handovers_, is_hit);
        std::erase_if(committed_, is_hit);
        if (takes_all) return;
        for (auto& [place, end] : ends_) {
            if (place.second == partition) end = std::min(end, first);
        }
    }

    void assigned(const Event& event) {
        const GroupPartition place = place_of(event);
        handovers_.erase(place);
        const auto committed = committed_.find(place);
        const auto end = ends_.find(place);
        if (committed == committed_.end() || end == ends_.end()) return;
        tally_.observe();
        Handover& next = handovers_[place];
        next.node = event.node;
        next.committed = committed->second;
        next.end = end->second;
        next.sequence = event.sequence;
    }

    void delivered(const Event& event) {
        const GroupPartition place = place_of(event);
        const auto found = handovers_.find(place);
        if (found != handovers_.end() && found->second.node == event.node) {
            judge(found->second, event);
        }
        std::uint64_t& end = ends_[place];
        end = std::max(end, event.operands[3]);
    }

    // Both counts are of the records between two offsets that a reader gets, and the allowed one
    // is of the later ones: whoever begins at the commit needs no counting.
    void judge(Handover& handover, const Event& event) {
        handover.first = std::min(handover.first, event.operands[2]);
        if (handover.first >= handover.committed.offset || handover.is_counted) return;
        const std::uint64_t until = std::min(event.operands[3], handover.end);
        const std::uint64_t again = count(event.operands[0], handover.first, until);
        const std::uint64_t allowed =
            count(event.operands[0], handover.committed.offset, handover.end);
        if (again <= allowed) return;
        handover.is_counted = true;
        tally_.violate([&] { return beyond(handover, event, again, allowed); });
    }

    [[nodiscard]] std::uint64_t count(std::uint64_t partition, std::uint64_t from,
                                      std::uint64_t end) {
        const OffsetSet& stored = stored_[partition];
        std::uint64_t found = 0;
        for (std::uint64_t at = from; at < end; ++at)
            found += stored.has(at) ? 1 : 0;
        return found;
    }

    [[nodiscard]] Finding beyond(const Handover& handover, const Event& event, std::uint64_t again,
                                 std::uint64_t allowed) const {
        Finding finding;
        finding.time = event.time;
        finding.subscriber = routes_.subscriber(event.operands[1], event.operands[0]);
        finding.events = {handover.committed.sequence, handover.sequence, event.sequence};
        Sentence& say = finding.witness;
        say.node(event.node)
            .words(" took ")
            .text(event.operands[0])
            .words(" over and had been handed ");
        say.number(static_cast<std::int64_t>(again)).words(" of its records again by ");
        say.time(event.time).words(", although only ");
        say.number(static_cast<std::int64_t>(allowed)).words(" were not committed (up to before ");
        say.number(static_cast<std::int64_t>(handover.committed.offset)).words(").");
        return finding;
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<GroupPartition, Committed> committed_;
    std::map<GroupPartition, std::uint64_t> ends_; // of what was ever handed out
    std::map<GroupPartition, Handover> handovers_; // the last
    std::map<std::uint64_t, OffsetSet> stored_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_rejoin_dup_bound(Reading& reading, const PropertyOptions&) {
    return std::make_unique<RejoinDupBound>(reading);
}

} // namespace crier::properties
