#include "properties/retention_visible_loss.hpp"

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

class RetentionVisibleLoss final : public Checker, private sim::EventSink {
public:
    explicit RetentionVisibleLoss(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("retention-visible-loss", topology_, end);
    }

private:
    struct Log {
        OffsetSet stored; // also what was deleted
        std::uint64_t start = 0;
        std::uint64_t moved = 0; // sequence of the event that told of the start
    };
    struct Place {
        std::uint64_t reached = 0; // read or committed up to before
        bool is_told = false;      // since the last delivery
    };

    void on_event(const Event& event) override {
        const std::uint64_t partition = event.operands[0];
        switch (event.kind) {
        case broker_events::stored.id:
            logs_[partition].stored.add(event.operands[1], event.operands[1] + 1);
            break;
        case broker_events::records_lost.id:
            logs_[partition].stored.remove(event.operands[1], event.operands[2] + 1);
            for (auto& [whose, place] : places_) {
                if (whose.second == partition)
                    place.reached = std::min(place.reached, event.operands[1]);
            }
            break;
        case broker_events::log_start_moved.id:
            logs_[partition].start = event.operands[1];
            logs_[partition].moved = event.sequence;
            break;
        case broker_events::partition_deleted.id:
            logs_.erase(partition);
            std::erase_if(places_, [partition](const auto& entry) {
                return entry.first.second == partition;
            });
            break;
        case broker_events::position_reset.id:
        case broker_events::position_sought.id:
            places_[{event.operands[1], partition}].is_told = true;
            break;
        case broker_events::offset_committed.id: {
            Place& place = places_[{event.operands[1], partition}];
            place.reached = std::max(place.reached, event.operands[2]);
            break;
        }
        case broker_events::delivered.id: deliver(event); break;
        default: break;
        }
    }

    void deliver(const Event& event) {
        const Log& log = logs_[event.operands[0]];
        Place& place = places_[{event.operands[1], event.operands[0]}];
        const std::uint64_t from = place.reached;
        const std::uint64_t to = std::min(event.operands[2], log.start);
        place.reached = std::max(place.reached, event.operands[3]);
        const bool is_told = std::exchange(place.is_told, false);
        if (routes_.compacts(event.operands[0])) return; // which records are left is not told
        std::uint64_t expired = 0;
        for (std::uint64_t at = from; at < to; ++at)
            expired += log.stored.has(at) ? 1 : 0;
        if (expired == 0) return;
        tally_.observe();
        if (is_told) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            finding.events = {log.moved, event.sequence};
            Sentence& say = finding.witness;
            say.node(event.node).words(" of ").text(event.operands[1]).words(" went on in ");
            say.text(event.operands[0]).words(" at ");
            say.number(static_cast<std::int64_t>(event.operands[2])).words(" at ");
            say.time(event.time).words(", and nobody told it of ");
            say.number(static_cast<std::int64_t>(expired)).words(" records from ");
            say.number(static_cast<std::int64_t>(from)).words(" on that were deleted unread.");
            return finding;
        });
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<std::uint64_t, Log> logs_;
    std::map<GroupPartition, Place> places_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_retention_visible_loss(Reading& reading, const PropertyOptions&) {
    return std::make_unique<RetentionVisibleLoss>(reading);
}

} // namespace crier::properties
