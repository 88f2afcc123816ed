#include "properties/commit_monotone.hpp"

#include "broker-model/events.hpp"
#include "properties/finding.hpp"
#include "properties/former_commits.hpp"
#include "properties/reading.hpp"

#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class CommitMonotone final : public Checker, private sim::EventSink {
public:
    explicit CommitMonotone(Reading& reading)
        : topology_(reading.topology()), routes_(reading.flows().routes()) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("commit-monotone", topology_, end);
    }

private:
    struct Committed {
        std::uint64_t offset = 0;
        std::uint64_t sequence = 0;
    };

    void on_event(const Event& event) override {
        former_.read(event);
        switch (event.kind) {
        case broker_events::offset_committed.id: committed(event); break;
        case broker_events::position_reset.id:
        case broker_events::position_sought.id: // back on purpose
        case broker_events::offset_expired.id:
            committed_.erase({event.operands[1], event.operands[0]});
            break;
        case broker_events::records_lost.id: // of this partition, or of the offsets' own
            if (routes_.is_internal(event.operands[0])) committed_.clear();
            [[fallthrough]];
        case broker_events::partition_deleted.id:
            std::erase_if(committed_, [&event](const auto& entry) {
                return entry.first.second == event.operands[0];
            });
            break;
        default: break;
        }
    }

    void committed(const Event& event) {
        if (former_.has(event)) return;
        tally_.observe();
        Committed& last = committed_[{event.operands[1], event.operands[0]}];
        if (event.operands[2] < last.offset) {
            tally_.violate([&] {
                Finding finding;
                finding.time = event.time;
                finding.subscriber = routes_.subscriber(event.operands[1], event.operands[0]);
                finding.events = {last.sequence, event.sequence};
                Sentence& say = finding.witness;
                say.text(event.operands[1]).words(" committed ").text(event.operands[0]);
                say.words(" up to before ").number(static_cast<std::int64_t>(event.operands[2]));
                say.words(" at ").time(event.time).words(", after it had committed up to before ");
                say.number(static_cast<std::int64_t>(last.offset)).words(".");
                return finding;
            });
        }
        last = {event.operands[2], event.sequence};
    }

    const Topology& topology_;
    const Routes& routes_;
    std::map<std::pair<std::uint64_t, std::uint64_t>, Committed> committed_;
    FormerCommits former_;
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_commit_monotone(Reading& reading, const PropertyOptions&) {
    return std::make_unique<CommitMonotone>(reading);
}

} // namespace crier::properties
