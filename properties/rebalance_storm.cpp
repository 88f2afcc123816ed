#include "properties/rebalance_storm.hpp"

#include "broker-model/events.hpp"
#include "properties/describe.hpp"
#include "properties/finding.hpp"
#include "properties/reading.hpp"
#include "sim/events.hpp"

#include <deque>
#include <map>
#include <utility>

namespace crier::properties {

namespace {

using sim::Event;
namespace broker_events = broker::events;

class RebalanceStorm final : public Checker, private sim::EventSink {
public:
    RebalanceStorm(Reading& reading, const PropertyOptions& options)
        : topology_(reading.topology()), routes_(reading.flows().routes()), options_(options) {
        reading.add(*this);
    }

    Verdict finish(const RunEnd& end) override {
        return tally_.verdict("rebalance-storm", topology_, end);
    }

private:
    struct Start {
        std::int64_t time = 0;
        std::uint64_t sequence = 0;
    };

    void on_event(const Event& event) override {
        switch (event.kind) {
        case broker_events::generation_started.id: started(event); break;
        case sim::events::started.id:
        case sim::events::crashed.id:
        case sim::events::power_lost.id:
        case sim::events::paused.id:
        case sim::events::resumed.id:
            for (const std::size_t subscriber : routes_.subscribers_of_node(event.node))
                recent_[topology_.subscribers[subscriber].group_text].clear();
            break;
        default: break;
        }
    }

    void started(const Event& event) {
        tally_.observe();
        std::deque<Start>& recent = recent_[event.operands[0]];
        while (!recent.empty() && recent.front().time + options_.within.count() < event.time)
            recent.pop_front();
        recent.push_back({event.time, event.sequence});
        if (recent.size() <= options_.generations) return;
        tally_.violate([&] {
            Finding finding;
            finding.time = event.time;
            for (const Start& start : recent)
                finding.events.push_back(start.sequence);
            Sentence& say = finding.witness;
            say.text(event.operands[0]).words(" started ");
            say.number(static_cast<std::int64_t>(recent.size()));
            say.words(" generations within " + format_duration(options_.within.count()));
            say.words(" up to ").time(event.time).words(", and no member came or went.");
            return finding;
        });
        recent.clear(); // one storm is counted once
    }

    const Topology& topology_;
    const Routes& routes_;
    PropertyOptions options_;
    std::map<std::uint64_t, std::deque<Start>> recent_; // by group
    Tally tally_;
};

} // namespace

std::unique_ptr<Checker> make_rebalance_storm(Reading& reading, const PropertyOptions& options) {
    return std::make_unique<RebalanceStorm>(reading, options);
}

} // namespace crier::properties
